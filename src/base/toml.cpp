/* The one place where toml++ is used: its tree becomes ours, its exceptions become faults. */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

extern "C" {
#include "base/ceilings.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/toml_scan.h"
}

struct toml_doc {
    struct arena *arena;
    struct toml_node root;
};

namespace {

struct too_deep {
    toml::source_position where;
};

/* The text by line and column.  Asked mostly in rising order, so it goes on from where it was. */
class source {
  public:
    explicit source(std::string_view text) : text_{text}
    {
        starts_.push_back(0);
        for (size_t at = 0; at < text.size(); at++)
            if (text[at] == '\n')
                starts_.push_back(at + 1);
    }

    std::string_view from(toml::source_position where)
    {
        if (where.line == 0 || where.line > starts_.size())
            return {};
        if (where.line != line_ || where.column < column_) {
            line_ = where.line;
            column_ = 1;
            at_ = starts_[line_ - 1];
        }
        for (; column_ < where.column && at_ < text_.size(); column_++) {
            size_t len = str_char_len(text_.data() + at_, text_.size() - at_);
            at_ += len ? len : 1;
        }
        return text_.substr(at_);
    }

  private:
    std::string_view text_;
    std::vector<size_t> starts_;
    size_t line_ = 0, column_ = 0, at_ = 0;
};

class builder {
  public:
    builder(struct arena *arena, std::string_view text) : arena_{arena}, source_{text} {}

    void build(const toml::node &from, struct toml_node *to, unsigned level)
    {
        if (level > TOML_LEVELS_MAX)
            throw too_deep{from.source().begin};
        to->line = static_cast<int>(from.source().begin.line);
        to->column = static_cast<int>(from.source().begin.column);
        if (const toml::table *table = from.as_table())
            build_table(*table, to, level);
        else if (const toml::array *array = from.as_array())
            build_array(*array, to, level);
        else
            build_value(from, to);
    }

  private:
    using entry = std::pair<const toml::key *, const toml::node *>;

    void build_table(const toml::table &from, struct toml_node *to, unsigned level)
    {
        std::vector<entry> entries;
        for (auto &&[key, value] : from)
            entries.emplace_back(&key, &value);
        std::stable_sort(entries.begin(), entries.end(), [](const entry &a, const entry &b) {
            return a.first->source().begin < b.first->source().begin;
        });

        auto *items = make_items(entries.size(), TOML_TABLE, to);
        for (size_t i = 0; i < entries.size(); i++) {
            const toml::key &key = *entries[i].first;
            items[i].key = arena_strn(arena_, key.str().data(), key.str().size());
            items[i].key_line = static_cast<int>(key.source().begin.line);
            items[i].key_column = static_cast<int>(key.source().begin.column);
            build(*entries[i].second, &items[i], level + 1);
        }
    }

    void build_array(const toml::array &from, struct toml_node *to, unsigned level)
    {
        auto *items = make_items(from.size(), TOML_ARRAY, to);
        for (size_t i = 0; i < from.size(); i++)
            build(from[i], &items[i], level + 1);
    }

    struct toml_node *make_items(size_t n, enum toml_type type, struct toml_node *to)
    {
        auto *items = static_cast<struct toml_node *>(arena_alloc(arena_, n, sizeof(struct toml_node)));
        to->type = type;
        to->items = items;
        to->n_items = n;
        return items;
    }

    void build_value(const toml::node &from, struct toml_node *to)
    {
        if (const auto *text = from.as_string()) {
            to->type = TOML_STRING;
            to->text = arena_strn(arena_, text->get().data(), text->get().size());
        } else if (const auto *integer = from.as_integer()) {
            to->type = TOML_INTEGER;
            to->integer = integer->get();
        } else if (const auto *real = from.as_floating_point()) {
            to->type = TOML_FLOAT;
            to->real = real->get();
        } else if (const auto *boolean = from.as_boolean()) {
            to->type = TOML_BOOL;
            to->boolean = boolean->get();
        } else {
            to->type = TOML_DATETIME;
            to->text = datetime(from);
        }
    }

    /* As it is written, for toml++ forgets how many digits the seconds had; only the letters become RFC 3339's own. */
    const char *datetime(const toml::node &from)
    {
        std::string_view rest = source_.from(from.source().begin);
        size_t n = std::min(rest.find_first_not_of("0123456789-:.+tTzZ"), rest.size());
        bool split = n == 10 && rest.size() > 11 && rest[10] == ' ' && rest[11] >= '0' && rest[11] <= '9';
        if (split)
            n = 11 + std::min(rest.substr(11).find_first_not_of("0123456789-:.+zZ"), rest.size() - 11);

        char *text = arena_strn(arena_, rest.data(), n);
        if (n > 10 && text[4] == '-')
            text[10] = 'T';
        if (n > 0 && text[n - 1] == 'z')
            text[n - 1] = 'Z';
        return text;
    }

    struct arena *arena_;
    source source_;
};

bool contains(std::string_view text, const char *what)
{
    return text.find(what) != std::string_view::npos;
}

/* Words for people in place of some of the parser's. */
const struct {
    const char *theirs;
    enum toml_kind kind;
    const char *ours;
} words[] = {
    {"cannot redefine", TOML_TWICE, "this key was given already"},
    {"could not determine value type", TOML_SYNTAX, "this is no value: text stands in quotes"},
    {"expected '=', saw", TOML_SYNTAX, "an equals sign must follow the key"},
    {"parsing array: expected comma", TOML_SYNTAX, "a list that is never closed by ], or a comma is missing in it"},
    {"parsing table header: expected ']'", TOML_SYNTAX, "the name of a table must be closed by ]"},
};

void fill_words(struct toml_fault *fault, std::string_view theirs)
{
    for (const auto &row : words)
        if (contains(theirs, row.theirs)) {
            fault->kind = row.kind;
            snprintf(fault->text, sizeof(fault->text), "%s", row.ours);
            return;
        }

    static constexpr std::string_view prefix = "Error while parsing ";
    if (theirs.substr(0, prefix.size()) == prefix)
        theirs.remove_prefix(prefix.size());
    std::string text{theirs.substr(0, 300)};
    char *shown = str_show(text.c_str());
    snprintf(fault->text, sizeof(fault->text), "%.*s", static_cast<int>(sizeof(fault->text) - 1), shown);
    free(shown);
}

/* The parser names the character at which it gave up; people want the beginning of what is wrong. */
void move_to_start(struct toml_fault *fault, std::string_view theirs, std::string_view text, size_t open_bracket)
{
    static const char *const values[] = {"date", "time", "integer", "floating", "boolean"};
    source lines{text};
    toml::source_position first{static_cast<toml::source_index>(fault->line), 1};
    std::string_view line = lines.from(first);
    int column = 1, start = 1;
    bool value = false;

    if (contains(theirs, "parsing array") && open_bracket < text.size()) {
        toml_place(text.data(), text.size(), open_bracket, &fault->line, &fault->column);
        return;
    }
    for (const char *word : values)
        value = value || contains(theirs.substr(0, 40), word);
    for (size_t at = 0; at < line.size() && column < fault->column; column++) {
        size_t len = str_char_len(line.data() + at, line.size() - at);
        bool apart = fault->kind == TOML_TWICE ? strchr(" \t", line[at]) && column == start
                                               : strchr(" \t=,[{", line[at]) != nullptr;
        start = apart ? column + 1 : start;
        at += len ? len : 1;
    }
    if (value || fault->kind == TOML_TWICE)
        fault->column = start;
}

bool is_before(const struct toml_fault &a, const struct toml_fault &b)
{
    return a.line < b.line || (a.line == b.line && a.column <= b.column);
}

/* What the parser found, unless the look before it found something further up. */
void set_fault(struct toml_fault *fault, const toml::parse_error &e, std::string_view text, const struct toml_scan &scan,
               bool scanned)
{
    struct toml_fault theirs = {};
    theirs.line = static_cast<int>(e.source().begin.line);
    theirs.column = static_cast<int>(e.source().begin.column);
    fill_words(&theirs, e.description());
    if (scanned && is_before(scan.fault, theirs)) {
        *fault = scan.fault;
        return;
    }
    move_to_start(&theirs, e.description(), text, scan.open_bracket);
    *fault = theirs;
}

bool parse(struct toml_doc *t, std::string_view text, const struct toml_scan &scan, bool scanned, struct toml_fault *fault)
{
    try {
        const toml::table table = toml::parse(text);
        if (scanned) {
            *fault = scan.fault;
            return false;
        }
        builder{t->arena, text}.build(table, &t->root, 0);
        return true;
    } catch (const toml::parse_error &e) {
        set_fault(fault, e, text, scan, scanned);
    } catch (const too_deep &e) {
        *fault = {};
        fault->kind = TOML_TOO_LARGE;
        fault->line = static_cast<int>(e.where.line);
        fault->column = static_cast<int>(e.where.column);
        snprintf(fault->text, sizeof(fault->text), "more than %u levels of tables and lists", TOML_LEVELS_MAX);
    } catch (const std::exception &e) {
        *fault = {};
        fault->line = fault->column = 1;
        snprintf(fault->text, sizeof(fault->text), "cannot be read: %s", e.what());
    }
    return false;
}

} // namespace

extern "C" struct toml_doc *toml_read(const char *text, size_t n, struct toml_fault *fault)
{
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        n -= 3;
    }

    struct toml_scan scan = {};
    int scanned = toml_scan(text, n, &scan);
    if (scanned == TOML_SCAN_STOP) {
        *fault = scan.fault;
        return nullptr;
    }

    auto *t = static_cast<struct toml_doc *>(mem_new(1, sizeof(struct toml_doc)));
    t->arena = arena_new();
    if (parse(t, std::string_view{text, n}, scan, scanned != 0, fault))
        return t;
    toml_free(t);
    return nullptr;
}

extern "C" void toml_free(struct toml_doc *t)
{
    if (!t)
        return;
    arena_free(t->arena);
    free(t);
}

extern "C" void toml_freep(struct toml_doc **t)
{
    toml_free(*t);
}

extern "C" const struct toml_node *toml_root(const struct toml_doc *t)
{
    return &t->root;
}
