#include "sandbox/entity.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "sandbox/store.h"

#define LINK "!parent !child"
#define NOTE "ns name description "
#define JOB "username groupname type message status submitted scheduledFor started finished "

#define ANNOTATION_LINK(Name, name) \
    {#Name "AnnotationLink", &om_##name##_annotation_link_class, #Name "AnnotationLink", "ome.model.annotations", LINK, \
     .link_parent = &om_##name##_class}
#define ANNOTATION(Name, name, value) \
    {#Name "Annotation", &om_##name##_annotation_class, "Annotation", "ome.model.annotations", NOTE value}
#define A_JOB(Name, name, more) {#Name "Job", &om_##name##_job_class, "Job", "ome.model.jobs", JOB more}

const struct entity entities[] = {
    {"Project", &om_project_class, "Project", "ome.model.containers", "!name description"},
    {"Dataset", &om_dataset_class, "Dataset", "ome.model.containers", "!name description"},
    {"ProjectDatasetLink", &om_project_dataset_link_class, "ProjectDatasetLink", "ome.model.containers", LINK, &om_project_class},
    {"DatasetImageLink", &om_dataset_image_link_class, "DatasetImageLink", "ome.model.containers", LINK, &om_dataset_class},
    {"Screen", &om_screen_class, "Screen", "ome.model.screen", "!name description"},
    {"Plate", &om_plate_class, "Plate", "ome.model.screen", "!name description rows columns"},
    {"ScreenPlateLink", &om_screen_plate_link_class, "ScreenPlateLink", "ome.model.screen", LINK, &om_screen_class},
    {"Well", &om_well_class, "Well", "ome.model.screen", "!plate row column"},
    {"WellSample", &om_well_sample_class, "WellSample", "ome.model.screen", "!well !image"},
    {"Image", &om_image_class, "Image", "ome.model.core", "!name description series acquisitionDate archived partial fileset"},
    {"Pixels", &om_pixels_class, "Pixels", "ome.model.core",
     "!image pixelsType dimensionOrder significantBits sizeX sizeY sizeZ sizeC sizeT sha1 physicalSizeX physicalSizeY "
     "physicalSizeZ"},
    {"LogicalChannel", &om_logical_channel_class, "LogicalChannel", "ome.model.core", "name"},
    {"Channel", &om_channel_class, "Channel", "ome.model.core", "!pixels !logicalChannel"},
    {"OriginalFile", &om_original_file_class, "OriginalFile", "ome.model.core",
     "!path repo size atime mtime ctime hasher hash mimetype !name"},
    {"Fileset", &om_fileset_class, "Fileset", "ome.model.fs", "!templatePrefix"},
    {"FilesetEntry", &om_fileset_entry_class, "FilesetEntry", "ome.model.fs", "!fileset !originalFile !clientPath"},
    {"FilesetJobLink", &om_fileset_job_link_class, "FilesetJobLink", "ome.model.fs", LINK, &om_fileset_class},
    {"Job", &om_job_class, "Job", "ome.model.jobs", JOB},
    A_JOB(Upload, upload, "versionInfo"),
    A_JOB(MetadataImport, metadata_import, ""),
    A_JOB(PixelData, pixel_data, ""),
    A_JOB(ThumbnailGeneration, thumbnail_generation, ""),
    A_JOB(Indexing, indexing, ""),
    {"JobOriginalFileLink", &om_job_original_file_link_class, "JobOriginalFileLink", "ome.model.jobs", LINK, &om_job_class},
    {"Annotation", &om_annotation_class, "Annotation", "ome.model.annotations", NOTE},
    ANNOTATION(Tag, tag, "textValue"),
    ANNOTATION(Comment, comment, "textValue"),
    ANNOTATION(Xml, xml, "textValue"),
    ANNOTATION(Term, term, "termValue"),
    ANNOTATION(Long, long, "longValue"),
    ANNOTATION(Double, double, "doubleValue"),
    ANNOTATION(Boolean, boolean, "boolValue"),
    ANNOTATION(Timestamp, timestamp, "timeValue"),
    ANNOTATION(Map, map, "mapValue"),
    ANNOTATION(File, file, "file"),
    ANNOTATION_LINK(Project, project),
    ANNOTATION_LINK(Dataset, dataset),
    ANNOTATION_LINK(Image, image),
    ANNOTATION_LINK(Screen, screen),
    ANNOTATION_LINK(Plate, plate),
    ANNOTATION_LINK(Fileset, fileset),
    ANNOTATION_LINK(OriginalFile, original_file),
    ANNOTATION_LINK(Annotation, annotation),
    {"Experimenter", &om_experimenter_class, "Experimenter", "ome.model.meta",
     "!omeName firstName middleName lastName institution email ldap password privileges"},
    {"ExperimenterGroup", &om_experimenter_group_class, "ExperimenterGroup", "ome.model.meta", "!name description ldap perms"},
    {"GroupExperimenterMap", &om_group_experimenter_map_class, "GroupExperimenterMap", "ome.model.meta", LINK " owner",
     &om_experimenter_group_class},
    {"Event", &om_event_class, "Event", "ome.model.meta", "time type status experimenter experimenterGroup session"},
    {"Session", &om_session_class, "Session", "ome.model.meta",
     "uuid owner sudoer timeToIdle timeToLive started closed message defaultEventType userAgent userIP"},
};
const size_t n_entities = ARRAY_LEN(entities);

/* --- finding --- */

const struct entity *entity_by_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    name = dot ? dot + 1 : name;

    size_t n = strlen(name);

    for (int shorter = 0; shorter < 2; shorter++, n -= n > 0 && name[n - 1] == 'I')
        for (size_t i = 0; i < n_entities; i++)
            if (strlen(entities[i].name) == n && strncmp(entities[i].name, name, n) == 0)
                return &entities[i];
    return NULL;
}

const struct entity *entity_by_class(const struct ice_class *cls)
{
    for (size_t i = 0; i < n_entities; i++)
        if (entities[i].cls == cls)
            return &entities[i];
    return NULL;
}

bool entity_is_abstract(const struct entity *e)
{
    return e->cls == &om_annotation_class || e->cls == &om_job_class;
}

bool entity_is_link(const struct entity *e)
{
    return e->link_parent != NULL;
}

bool entity_is_annotation(const struct entity *e)
{
    return strcmp(e->table, "Annotation") == 0;
}

/* --- columns --- */

const struct ice_field *class_field(const struct ice_class *cls, const char *name)
{
    for (; cls; cls = cls->base)
        for (size_t i = 0; i < cls->n_fields; i++)
            if (strcmp(cls->fields[i].name, name) == 0)
                return &cls->fields[i];
    return NULL;
}

static const char *const pixel_types[] = {"bit",   "int8",  "int16",  "int32",   "uint8",          "uint16",
                                          "uint32", "float", "double", "complex", "double-complex", NULL};
static const char *const orders[] = {"XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC", NULL};
static const char *const hashers[] = {"Adler-32",    "CRC-32",   "MD5-128",      "Murmur3-32",
                                      "Murmur3-128", "SHA1-160", "File-Size-64", NULL};
static const char *const job_states[] = {"Submitted", "Resubmitted", "Queued", "Requeued", "Running",
                                         "Error",     "Waiting",     "Finished", "Cancelled", NULL};
static const char *const event_types[] = {"Bootstrap", "Import",     "Internal", "Shoola",   "User", "Task",
                                          "Test",      "Processing", "FullText", "Sessions", NULL};

static const char *const privileges[] = {"Chgrp",
                                         "Chown",
                                         "DeleteFile",
                                         "DeleteManagedRepo",
                                         "DeleteOwned",
                                         "DeleteScriptRepo",
                                         "ModifyGroup",
                                         "ModifyGroupMembership",
                                         "ModifyUser",
                                         "ReadSession",
                                         "Sudo",
                                         "WriteFile",
                                         "WriteManagedRepo",
                                         "WriteOwned",
                                         "WriteScriptRepo",
                                         NULL};

static const struct {
    const struct ice_class *cls;
    const char *const *values;
} enumerations[] = {
    {&om_pixels_type_class, pixel_types}, {&om_dimension_order_class, orders}, {&om_checksum_algorithm_class, hashers},
    {&om_job_status_class, job_states},   {&om_event_type_class, event_types},      {&om_admin_privilege_class, privileges},
};

const char *const *enum_values(const struct ice_class *cls)
{
    for (size_t i = 0; i < ARRAY_LEN(enumerations); i++)
        if (enumerations[i].cls == cls)
            return enumerations[i].values;
    return NULL;
}

const struct ice_class *enum_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(enumerations); i++) {
        const char *last = strrchr(enumerations[i].cls->id, ':');
        if (last && strcmp(last + 1, name) == 0)
            return enumerations[i].cls;
    }
    return NULL;
}

static enum column_kind kind_of(const struct ice_type *t)
{
    static const struct {
        const struct ice_class *cls;
        enum column_kind kind;
    } values[] = {{&om_rstring_class, COL_TEXT}, {&om_rlong_class, COL_LONG},     {&om_rint_class, COL_INT},
                  {&om_rbool_class, COL_BOOL},   {&om_rdouble_class, COL_DOUBLE}, {&om_rtime_class, COL_TIME},
                  {&om_length_class, COL_LENGTH}};

    if (t->kind == ICE_SEQUENCE)
        return COL_PAIRS;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (t->cls == values[i].cls)
            return values[i].kind;
    return enum_values(t->cls) ? COL_ENUM : COL_REF;
}

bool entity_column(const struct entity *e, const char **at, struct column *out)
{
    char member[64];

    *at += strspn(*at, " ");
    if (**at == '\0')
        return false;
    *out = (struct column){.needed = **at == '!'};
    *at += out->needed;

    size_t n = strcspn(*at, " ");

    assert(n < sizeof(out->name));
    memcpy(out->name, *at, n);
    *at += n;
    snprintf(member, sizeof(member), "_%s", out->name);
    out->field = class_field(e->cls, member);
    out->kind = out->field ? kind_of(out->field->type) : COL_NONE;
    return true;
}

bool entity_collection(const struct entity *e, const char *name, struct collection *out)
{
    static const struct {
        const char *field, *back;
    } backs[] = {{"pixels", "image"},   {"channels", "pixels"}, {"usedFiles", "fileset"},         {"wells", "plate"},
                 {"images", "fileset"}, {"jobLinks", "parent"}, {"originalFileLinks", "parent"}, {"wellSamples", "well"}};
    char member[80];

    snprintf(member, sizeof(member), "_%sSeq", name);

    const struct ice_field *f = class_field(e->cls, member);

    if (!f || !f->type->item || !f->type->item->cls)
        return false;

    const struct entity *items = entity_by_class(f->type->item->cls);

    if (!items)
        return false;
    *out = (struct collection){.field = f->name, .items = items};
    snprintf(member, sizeof(member), "_%sLoaded", name);
    out->loaded = class_field(e->cls, member)->name;
    for (size_t i = 0; i < ARRAY_LEN(backs); i++)
        if (strcmp(backs[i].field, name) == 0)
            out->back = backs[i].back;
    if (!out->back && entity_is_link(items))
        out->back = items->link_parent == e->cls || ice_class_is_a(e->cls, items->link_parent) ? "parent" : "child";
    if (items->cls == &om_group_experimenter_map_class)
        out->back = e->cls == &om_experimenter_class ? "child" : "parent";
    return out->back != NULL;
}

/* --- tables --- */

static bool has_column(struct store *s, const char *table, const char *column)
{
    return store_long(s, 0, "select count(*) from pragma_table_info(?) where name = ?", "ss", table, column) > 0;
}

static void make(struct store *s, struct buf *sql)
{
    AUTO(mem_freep) char *text = buf_take_str(sql);

    bool made = store_run(s, text, "") == 0;
    assert(made); /* a table cannot clash */
    (void)made;
    buf_reset(sql);
}

static const char *sql_type(enum column_kind kind)
{
    static const char *const types[] = {[COL_NONE] = "text",    [COL_TEXT] = "text", [COL_ENUM] = "text",
                                        [COL_DOUBLE] = "real",  [COL_LENGTH] = "real"};

    return kind < ARRAY_LEN(types) && types[kind] ? types[kind] : "integer";
}

void entity_schema(struct store *s)
{
    AUTO(buf_clear) struct buf sql = BUF_INIT(4096);

    for (size_t i = 0; i < n_entities; i++) {
        const struct entity *e = &entities[i];
        struct column col;
        buf_printf(&sql, "create table if not exists %s (id integer primary key autoincrement, _kind text, _owner integer, "
                         "_grp integer, _version integer, _made integer, _changed integer)", e->table);
        make(s, &sql);
        for (const char *at = e->columns; entity_column(e, &at, &col);) {
            if (col.kind == COL_PAIRS || has_column(s, e->table, col.name))
                continue;
            buf_printf(&sql, "alter table %s add column %s %s", e->table, col.name, sql_type(col.kind));
            make(s, &sql);
            if (col.kind == COL_REF) {
                buf_printf(&sql, "create index if not exists %s_%s on %s (%s)", e->table, col.name, e->table, col.name);
                make(s, &sql);
            }
        }
        if (entity_is_link(e)) {
            buf_printf(&sql, "create unique index if not exists %s_key on %s (parent, child, _owner)", e->table, e->table);
            make(s, &sql);
        }
    }
    buf_add_str(&sql, "create table if not exists Pair (holder text, object integer, position integer, name text, value text, "
                      "primary key (holder, object, position))");
    make(s, &sql);
    buf_add_str(&sql, "create index if not exists Pair_value on Pair (name, value)");
    make(s, &sql);
    buf_add_str(&sql, "create table if not exists Fact (name text primary key, value text)");
    make(s, &sql);
}
