#!/usr/bin/env python3
"""Write the C form of OMERO's types and operations from facts.json.

usage: generate.py FACTS OUTPUT_DIRECTORY

Makes types.h, types.c, ops.h and ops.c.  What the C form of each Slice type is stands in src/ice/type.h; how a Slice name becomes a C
name stands at cname() below.
"""
import json
import os
import re
import sys

PRIMITIVES = {'bool': 'bool', 'byte': 'uint8_t', 'short': 'int16_t', 'int': 'int32_t', 'long': 'int64_t',
              'float': 'float', 'double': 'double', 'string': 'const char *'}
KEYWORDS = {'auto', 'break', 'case', 'char', 'const', 'default', 'do', 'double', 'enum', 'float', 'for', 'goto', 'if', 'int', 'long',
            'register', 'return', 'short', 'signed', 'static', 'struct', 'switch', 'union', 'unsigned', 'void', 'while', 'err', 'mem',
            'out', 'in', 'to', 'caller', 'ret'}


def snake(name):
    return re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name).lower()


def member(name):
    """Slice member or parameter -> C: `_clientPath` -> client_path."""
    c = snake(name.lstrip('_'))
    return c + '_' if c in KEYWORDS else c


class Facts:
    def __init__(self, facts):
        self.classes = facts['classes']
        self.exceptions = facts['exceptions']
        self.structs = facts['structs']
        self.enums = facts['enums']
        self.sequences = facts['sequences']
        self.dictionaries = facts['dictionaries']
        self.interfaces = facts['interfaces']
        self.objects = {**self.classes, **self.exceptions}

    def cname(self, tid):
        """::omero::model::X and ::omero::X -> om_x; other modules keep their name: ::omero::sys::X -> om_sys_x,
        ::Glacier2::X -> om_glacier2_x.  A type of ::omero:: that a model class shares its name with becomes om_omero_x."""
        parts = [p for p in tid.split('::') if p]
        if parts[:2] == ['omero', 'model']:
            parts = parts[2:]
        elif parts[0] == 'omero' and not (len(parts) == 2 and '::omero::model::' + parts[1] in self.objects):
            parts = parts[1:]
        return '_'.join(['om'] + [snake(p) for p in parts])

    def kind(self, t):
        if t in PRIMITIVES:
            return 'primitive'
        if t.endswith('*'):
            return 'proxy'
        for kind in ('classes', 'structs', 'enums', 'sequences', 'dictionaries'):
            if t in getattr(self, kind):
                return kind
        raise KeyError(f'no such type: {t}')

    def ctype(self, t):
        """How a value of the type is declared in C."""
        kind = self.kind(t)
        if kind == 'primitive':
            return PRIMITIVES[t]
        if kind == 'proxy':
            return 'const struct ice_proxy *'
        if kind == 'enums':
            return 'int32_t'
        if kind == 'classes':
            return f'const struct {self.cname(t)} *'
        return f'struct {self.cname(t)}'

    def type_ref(self, t):
        kind = self.kind(t)
        if kind == 'primitive':
            return f'&ice_type_{t}'
        if kind == 'proxy':
            return '&ice_type_proxy'
        return f'&{self.cname(t)}_type'

    def chain(self, tid):
        """The class and its bases, root first."""
        return (self.chain(self.objects[tid]['base']) if self.objects[tid]['base'] else []) + [tid]

    def all_members(self, tid):
        return [m for c in self.chain(tid) for m in self.objects[c]['members']]

    def holds_classes(self, t, seen=()):
        if t in seen:
            return False
        kind = self.kind(t)
        seen = (*seen, t)
        if kind == 'classes':
            return True
        if kind == 'sequences':
            return self.holds_classes(self.sequences[t], seen)
        if kind == 'dictionaries':
            return any(self.holds_classes(x, seen) for x in self.dictionaries[t])
        if kind == 'structs':
            return any(self.holds_classes(x, seen) for _, x in self.structs[t])
        return False

    def by_value_order(self):
        """Structs and dictionaries such that what is embedded comes first."""
        done, order = set(), []

        def visit(t):
            if t in done or self.kind(t) not in ('structs', 'dictionaries'):
                return
            done.add(t)
            for inner in ([x for _, x in self.structs[t]] if t in self.structs else self.dictionaries[t]):
                visit(inner)
            order.append(t)

        for t in sorted([*self.structs, *self.dictionaries]):
            visit(t)
        return order


def declare(ctype, name):
    return f'{ctype}{"" if ctype.endswith("*") else " "}{name};'


def struct_body(f, members):
    return ''.join(f'    {declare(f.ctype(t), member(n))}\n' for n, t in members)


HEAD = '/* Made by generate.py from facts.json: change those. */\n'


def types_h(f):
    out = [HEAD + '#pragma once\n\n#include "ice/proxy.h"\n#include "ice/type.h"\n\n']
    for tid, names in sorted(f.enums.items()):
        c = f.cname(tid)
        rows = ', '.join(f'{c.upper()}_{re.sub("[^A-Za-z0-9]", "_", n).upper()} = {i}' for i, n in enumerate(names))
        out.append(f'/* {tid} */\nenum {c} {{ {rows} }};\n')
    out += [f'struct {f.cname(t)};\n' for t in sorted([*f.objects, *f.structs, *f.sequences, *f.dictionaries])]
    for tid, item in sorted(f.sequences.items()):
        at = f.ctype(item)
        at = f'{at}const *at' if at.endswith('*') else f'const {at} *at'
        out.append(f'/* {tid} */\nstruct {f.cname(tid)} {{ size_t n; {at}; }};\n')
    for tid in f.by_value_order():
        c = f.cname(tid)
        if tid in f.structs:
            out.append(f'/* {tid} */\nstruct {c} {{\n{struct_body(f, f.structs[tid])}}};\n')
        else:
            key, value = f.dictionaries[tid]
            out.append(f'/* {tid} */\nstruct {c}_entry {{ {declare(f.ctype(key), "key")} {declare(f.ctype(value), "value")} }};\n'
                       f'struct {c} {{ size_t n; const struct {c}_entry *at; }};\n')
    for tid in sorted(f.objects):
        bases = ' : '.join(reversed(f.chain(tid)))
        out.append(f'/* {bases} */\nstruct {f.cname(tid)} {{\n    const struct ice_class *cls;\n{struct_body(f, f.all_members(tid))}}};\n')
    out += [f'extern const struct ice_class {f.cname(t)}_class;\n' for t in sorted(f.objects)]
    out += [f'extern const struct ice_type {f.cname(t)}_type;\n'
            for t in sorted([*f.classes, *f.structs, *f.enums, *f.sequences, *f.dictionaries])]
    out.append('\n/* All classes and exceptions. */\nextern const struct ice_registry om_registry;\n')
    return ''.join(out)


def field_table(f, name, struct, members):
    if not members:
        return ''
    rows = ''.join(f'    {{"{n}", {f.type_ref(t)}, offsetof(struct {struct}, {member(n)})}},\n' for n, t in members)
    return f'static const struct ice_field {name}[] = {{\n{rows}}};\n'


def fields_init(name, members):
    return f'.fields = {name}, .n_fields = {len(members)}' if members else '.fields = NULL, .n_fields = 0'


def type_row(f, tid):
    c, kind = f.cname(tid), f.kind(tid)
    head = f'const struct ice_type {c}_type = {{.id = "{tid}", '
    if kind == 'enums':
        return (f'static const char *const {c}_names[] = {{{", ".join(chr(34) + n + chr(34) for n in f.enums[tid])}}};\n'
                f'{head}.kind = ICE_ENUM, .size = sizeof(int32_t), .names = {c}_names, .n_names = {len(f.enums[tid])}}};\n')
    if kind == 'sequences':
        return f'{head}.kind = ICE_SEQUENCE, .size = sizeof(struct {c}), .item = {f.type_ref(f.sequences[tid])}}};\n'
    if kind == 'dictionaries':
        key, value = f.dictionaries[tid]
        return (f'{head}.kind = ICE_DICTIONARY, .size = sizeof(struct {c}), .key = {f.type_ref(key)}, .item = {f.type_ref(value)}, '
                f'.entry_size = sizeof(struct {c}_entry), .value_offset = offsetof(struct {c}_entry, value)}};\n')
    if kind == 'structs':
        return (field_table(f, f'{c}_fields', c, f.structs[tid])
                + f'{head}.kind = ICE_STRUCT, .size = sizeof(struct {c}), {fields_init(f"{c}_fields", f.structs[tid])}}};\n')
    return f'{head}.kind = ICE_CLASS, .size = sizeof(void *), .cls = &{c}_class}};\n'


def types_c(f):
    out = [HEAD + '#include "model/types.h"\n\n']
    out += [type_row(f, t) for t in sorted([*f.enums, *f.sequences, *f.dictionaries, *f.structs, *f.classes])]
    for tid in sorted(f.objects):
        c, o = f.cname(tid), f.objects[tid]
        base = f'&{f.cname(o["base"])}_class' if o['base'] else 'NULL'
        out.append(field_table(f, f'{c}_fields', c, o['members'])
                   + f'const struct ice_class {c}_class = {{.id = "{tid}", .base = {base}, {fields_init(f"{c}_fields", o["members"])}, '
                   f'.size = sizeof(struct {c})}};\n')
    rows = ''.join(f'    &{f.cname(t)}_class,\n' for t in sorted(f.objects, key=lambda t: t.encode()))
    out.append(f'static const struct ice_class *const all_classes[] = {{\n{rows}}};\n'
               f'const struct ice_registry om_registry = {{all_classes, {len(f.objects)}}};\n')
    return ''.join(out)


class Op:
    """One operation with the names and members that both files need."""

    def __init__(self, f, interface, name, facts):
        self.f, self.interface, self.name, self.facts = f, interface, name, facts
        self.c = f'{f.cname(interface)}_{snake(name)}'
        self.ins = facts['in']
        self.outs = [[f'out{i + 1}', t] for i, t in enumerate(facts['out'])]
        if facts['returns']:
            self.outs.append(['ret_', facts['returns']])

    def out_name(self, n):
        return 'ret' if n == 'ret_' else n

    def structs(self):
        text = ''
        if self.ins:
            text += f'struct {self.c}_in {{\n{struct_body(self.f, self.ins)}}};\n'
        if self.outs:
            body = ''.join(f'    {declare(self.f.ctype(t), self.out_name(n))}\n' for n, t in self.outs)
            text += f'struct {self.c}_out {{\n{body}}};\n'
        return text

    def prototype(self):
        p = ['struct ice_caller *caller', 'const struct ice_proxy *to']
        p += [declare(self.f.ctype(t), member(n)).rstrip(';') for n, t in self.ins]
        p.append('struct arena *mem')
        for n, t in self.outs:
            ctype = self.f.ctype(t)
            p.append(f'{ctype}{"" if ctype.endswith("*") else " "}*{self.out_name(n)}')
        return f'int {self.c}({", ".join(p)}, struct err *err)'

    def header(self):
        mode = ['normal', 'nonmutating', 'idempotent'][self.facts['mode']]
        return (f'/* {self.interface}::{self.name} ({mode}) */\n{self.structs()}extern const struct ice_op {self.c}_op;\n'
                f'{self.prototype()};\n')

    def tables(self):
        text = field_table(self.f, f'{self.c}_in_fields', f'{self.c}_in', self.ins)
        if self.outs:
            rows = ''.join(f'    {{"{self.out_name(n)}", {self.f.type_ref(t)}, offsetof(struct {self.c}_out, {self.out_name(n)})}},\n'
                           for n, t in self.outs)
            text += f'static const struct ice_field {self.c}_out_fields[] = {{\n{rows}}};\n'
        throws = ''.join(f'&{self.f.cname(t)}_class, ' for t in self.facts['throws'])
        text += f'static const struct ice_class *const {self.c}_throws[] = {{{throws}NULL}};\n'
        return text + self.row()

    def row(self):
        def side(word, members):
            if not members:
                return f'.{word} = NULL, .n_{word} = 0'
            classes = any(self.f.holds_classes(t) for _, t in members)
            return (f'.{word} = {self.c}_{word}_fields, .n_{word} = {len(members)}, .{word}_size = sizeof(struct {self.c}_{word}), '
                    f'.{word}_classes = {str(classes).lower()}')

        mode = ['ICE_NORMAL', 'ICE_NONMUTATING', 'ICE_IDEMPOTENT'][self.facts['mode']]
        return (f'const struct ice_op {self.c}_op = {{.interface = "{self.interface}", .name = "{self.name}", .mode = {mode}, '
                f'{side("in", self.ins)}, {side("out", self.outs)}, .throws = {self.c}_throws}};\n')

    def stub(self):
        in_ref, out_ref, text = 'NULL', 'NULL', f'{self.prototype()}\n{{\n'
        if self.ins:
            args = ', '.join(f'.{member(n)} = {member(n)}' for n, _ in self.ins)
            text += f'    const struct {self.c}_in in = {{{args}}};\n'
            in_ref = '&in'
        if self.outs:
            text += f'    struct {self.c}_out out = {{0}};\n'
            out_ref = '&out'
        text += f'\n    if (caller->call(caller, to, &{self.c}_op, {in_ref}, {out_ref}, mem, err) < 0)\n        return -1;\n'
        text += ''.join(f'    *{self.out_name(n)} = out.{self.out_name(n)};\n' for n, _ in self.outs)
        return text + '    return 0;\n}\n'


def ops_of(f):
    for interface in sorted(f.interfaces):
        for name, facts in sorted(f.interfaces[interface]['operations'].items()):
            yield Op(f, interface, name, facts)


def ops_h(f):
    return (HEAD + '#pragma once\n\n#include "base/err.h"\n#include "base/mem.h"\n#include "ice/caller.h"\n#include "model/types.h"\n\n'
            + ''.join(op.header() for op in ops_of(f)) + '/* Every operation, sorted by interface and then name. */\n'
            'extern const struct ice_op *const om_ops[];\nextern const size_t om_n_ops;\n')


def ops_c(f):
    ops = list(ops_of(f))
    rows = ''.join(f'    &{op.c}_op,\n' for op in ops)
    return (HEAD + '#include "model/ops.h"\n\n' + ''.join(op.tables() + op.stub() for op in ops)
            + f'const struct ice_op *const om_ops[] = {{\n{rows}}};\nconst size_t om_n_ops = {len(ops)};\n')


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        facts = Facts(json.load(file))
    for name, write in (('types.h', types_h), ('types.c', types_c), ('ops.h', ops_h), ('ops.c', ops_c)):
        with open(os.path.join(sys.argv[2], name), 'w', encoding='utf-8') as file:
            file.write(write(facts))


if __name__ == '__main__':
    main()
