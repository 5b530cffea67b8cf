#include "sandbox/texts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"

/* The targets of imports by their provenance. */
#define OF_SOURCE(T)                                                                                                          \
    {"select d.id from " T "AnnotationLink l join l.parent d join l.child a join a.mapValue m "                               \
     "where a.ns = :ns and m.name = :k and m.value = :v and l.details.owner.id = :o and d.details.owner.id = :o order by d.id", \
     "l",                                                                                                                     \
     "select d.id from Pair m join Annotation a on a.id = m.object join " T "AnnotationLink l on l.child = a.id "             \
     "join " T " d on d.id = l.parent where m.holder = 'Annotation.mapValue' and m.name = :k and m.value = :v and a.ns = :ns " \
     "and l._owner = :o and d._owner = :o and see(d._grp, d._owner) order by d.id"}
#define GATEWAY                                                                                                              \
    "select obj from %T obj join fetch obj.details.owner as owner left outer join fetch obj.details.externalInfo "           \
    "join fetch obj.details.creationEvent"
#define NOTES "select obj from %T obj join fetch obj.details.owner as owner join fetch obj.details.creationEvent"
#define OF_IMAGES                                                                                                            \
    "from FilesetEntry as i_fse join i_fse.fileset as i_fileset join i_fileset.images as i_image where i_image.id in (:ids)"
#define CHILDREN(Link)                                                                                                   \
    "select c from " Link " as c join fetch c.child as ch left outer join fetch ch.annotationLinks as ial "              \
    "left outer join fetch ial.child as a where c.parent.id=:dsid order by c.child.name"
#define SOURCES(T)                                                                                                           \
    {"select d.id, a.id, d.details.owner.id, l.details.owner.id, a.details.owner.id, d.details.group.id, m.name, m.value from " \
     T "AnnotationLink l join l.parent d join l.child a join a.mapValue m where a.ns = :ns and (:d < 1L or d.id = :d) "          \
     "order by d.id, a.id, index(m)", "llllllss",                                                                             \
     "select d.id, a.id, d._owner, l._owner, a._owner, d._grp, m.name, m.value from " T "AnnotationLink l "                   \
     "join " T " d on d.id = l.parent join Annotation a on a.id = l.child "                                                   \
     "join Pair m on m.object = a.id and m.holder = 'Annotation.mapValue' where a.ns = :ns and (:d < 1 or d.id = :d) "        \
     "and see(d._grp, d._owner) order by d.id, a.id, m.position"}
#define ANY "select obj.id from %T obj where see(obj._grp, obj._owner)"
#define IN(list) "(select value from json_each(:" list "))"

static const struct text texts[] = {
    /* people */
    {"select g.id, g.name, index(m) from Experimenter e join e.groupExperimenterMap m join m.parent g where e.id = :o order by "
     "index(m)",
     "lsi",
     "select g.id, g.name, row_number() over (order by m.id) - 1 from GroupExperimenterMap m join ExperimenterGroup g on g.id = "
     "m.parent "
     "where m.child = :o order by m.id"},
    {"select e.id, e.omeName from Experimenter e where e.omeName = :n", "ls",
     "select id, omeName from Experimenter where omeName = :n"},
    {"select g.id, g.name from ExperimenterGroup g where g.name = :n", "ls",
     "select id, name from ExperimenterGroup where name = :n"},
    {"select s.id from Session s where s.closed is null and s.userAgent in ('OMERO.sudo', 'impomero')", "l",
     "select id from Session where closed is null and userAgent in ('OMERO.sudo', 'impomero')"},
    {"select s.uuid from Session s where s.id = :s and s.closed is null", "s",
     "select uuid from Session where id = :s and closed is null"},
    {"select s.id from Session s where s.id = :s and s.closed is not null", "l",
     "select id from Session where id = :s and closed is not null"},

    /* containers */
    {"select new map(p.id as c0, p as c1_details_permissions) from Project p where p.name = :n and p.details.owner.id = :o "
     "order by p.id",
     "{lr", "select id, _grp, _owner from Project where name = :n and _owner = :o and see(_grp, _owner) order by id"},
    OF_SOURCE("Dataset"),
    OF_SOURCE("Screen"),
    {"select new map(d.details.owner.id as c0, d.details.group.id as c1, d.name as c2, d as c3_details_permissions) "
     "from %T d where d.id = :d",
     "{llsr", "select _owner, _grp, name, _grp, _owner from %T where id = :d and see(_grp, _owner)"},
    {"select l.id from ProjectDatasetLink l where l.parent.id = :p and l.child.id = :d", "l",
     "select id from ProjectDatasetLink where parent = :p and child = :d and see(_grp, _owner)"},
    {"select d.id from Dataset d where d.id=:id", "l", "select id from Dataset where id = :id and see(_grp, _owner)"},

    /* annotations */
    {"select new map(t.id as c0, t.details.owner.id as c1, t.textValue as c2, t as c3_details_permissions) from TagAnnotation t "
     "where t.textValue in (:v) and (t.ns is null or t.ns <> 'openmicroscopy.org/omero/insight/tagset') order by t.id",
     "{llsr",
     "select id, _owner, textValue, _grp, _owner from Annotation where _kind = 'TagAnnotation' and textValue in " IN("v") " "
     "and (ns is null or ns <> 'openmicroscopy.org/omero/insight/tagset') and see(_grp, _owner) order by id"},
    {"select a.id from Annotation a where a.id in (:ids) and a.details.group.id = :g", "l",
     "select id from Annotation where id in " IN("ids") " and _grp = :g and see(_grp, _owner)"},
    {"select a.id from Annotation a where a.id in (:ids) and a.details.group.id = :g and a.details.owner.id = :o", "l",
     "select id from Annotation where id in " IN("ids") " and _grp = :g and _owner = :o and see(_grp, _owner)"},
    {"select t.id, t.textValue from %T l, TagAnnotation t where l.child.id = t.id and l.parent.id = :d and "
     "l.details.owner.id = :o order by t.id",
     "ls",
     "select t.id, t.textValue from %T l join Annotation t on t.id = l.child where t._kind = 'TagAnnotation' and l.parent = :d "
     "and l._owner = :o and see(l._grp, l._owner) order by t.id"},
    {"select l.id, l.parent.id, l.child.id, e.time from %T l join l.details.creationEvent e "
     "where l.parent.id in (:p) and l.child.ns = :ns and l.details.owner.id = :o order by l.id",
     "lllt",
     "select l.id, l.parent, l.child, e.time from %T l join Annotation a on a.id = l.child join Event e on e.id = l._made "
     "where l.parent in " IN("p") " and a.ns = :ns and l._owner = :o and see(l._grp, l._owner) order by l.id"},
    {"select l.id, l.parent.id, l.child.id, e.time from %T l join l.details.creationEvent e "
     "where l.parent.id in (:p) and l.child.id in (:a) and l.details.owner.id = :o order by l.id",
     "lllt",
     "select l.id, l.parent, l.child, e.time from %T l join Event e on e.id = l._made where l.parent in " IN(
         "p") " and l.child in " IN("a") " and l._owner = :o and see(l._grp, l._owner) order by l.id"},
    {"select a from %T a where a.id in (:ids)", "o", "select id from %T where id in " IN("ids") " and see(_grp, _owner)"},

    /* filesets */
    {"select s.value from FilesetJobLink l, UploadJob j join j.status s where l.child.id = j.id and l.parent.id = :f", "s",
     "select j.status from FilesetJobLink l join Job j on j.id = l.child "
     "where j._kind = 'UploadJob' and l.parent = :f and see(l._grp, l._owner)"},
    {"select l.parent.id from FilesetJobLink l, UploadJob j join j.versionInfo v "
     "where l.child.id = j.id and v.name = :n and v.value = :v",
     "l",
     "select l.parent from Pair v join FilesetJobLink l on l.child = v.object where v.holder = 'Job.versionInfo' and v.name = :n "
     "and v.value = :v and see(l._grp, l._owner)"},
    {"select o.id from FilesetJobLink l join l.child j join j.originalFileLinks jl join jl.child o "
     "where l.parent.id = :f and o.mimetype = 'application/omero-log-file'",
     "l",
     "select o.id from FilesetJobLink l join JobOriginalFileLink jl on jl.parent = l.child join OriginalFile o on o.id = "
     "jl.child "
     "where l.parent = :f and o.mimetype = 'application/omero-log-file' and see(l._grp, l._owner)"},
    {"select o.size from FilesetJobLink l join l.child j join j.originalFileLinks jl join jl.child o "
     "where l.parent.id = :f and o.mimetype = 'application/omero-log-file'",
     "l",
     "select o.size from FilesetJobLink l join JobOriginalFileLink jl on jl.parent = l.child join OriginalFile o on o.id = "
     "jl.child "
     "where l.parent = :f and o.mimetype = 'application/omero-log-file' and see(l._grp, l._owner)"},
    {"select count(p.id) from Pixels p where p.image.fileset.id = :f and p.sha1 = 'Pending...'", "l",
     "select count(*) from Pixels p join Image i on i.id = p.image where i.fileset = :f and p.sha1 = 'Pending...' "
     "and see(p._grp, p._owner)"},
    {"select i.id, i.name, i.series from Image i where i.fileset.id = :f order by i.series, i.id", "lsi",
     "select id, name, series from Image where fileset = :f and see(_grp, _owner) order by series, id"},
    {"select distinct pl.id, pl.name from WellSample ws join ws.image i join ws.well w join w.plate pl where i.fileset.id = :f",
     "ls",
     "select distinct p.id, p.name from WellSample s join Image i on i.id = s.image join Well w on w.id = s.well "
     "join Plate p on p.id = w.plate where i.fileset = :f and see(p._grp, p._owner) order by p.id"},
    {"select o.id from %T o where o.id in (:ids) order by o.id", "l",
     "select id from %T where id in " IN("ids") " and see(_grp, _owner) order by id"},
    {"select o.path, o.name from OriginalFile o where o.id = :id", "ss",
     "select path, name from OriginalFile where id = :id and see(_grp, _owner)"},
    {"select ofile from FilesetEntry as fse join fse.fileset as fileset join fse.originalFile as ofile join fileset.images as "
     "image "
     "where image.id in (:id)",
     "o",
     "select e.originalFile from FilesetEntry e join Image i on i.fileset = e.fileset where i.id in (select value from "
     "json_each(:id)) "
     "and see(e._grp, e._owner) order by e.id",
     "OriginalFile"},

    /* what the official Python gateway asks */
    {GATEWAY, "o", ANY " order by obj.id"},
    {GATEWAY " where obj.name=:name", "o", ANY " and obj.name = :name order by obj.id"},
    {GATEWAY " where obj.id in (:ids)", "o", ANY " and obj.id in " IN("ids") " order by obj.id"},
    {GATEWAY " where owner.id=:eid", "o", ANY " and obj._owner = :eid order by obj.id"},
    {CHILDREN("ProjectDatasetLink"), "o",
     "select l.id from ProjectDatasetLink l join Dataset d on d.id = l.child where l.parent = :dsid and see(l._grp, l._owner) "
     "order by d.name, l.id",
     "ProjectDatasetLink", "child.annotationLinks.child"},
    {CHILDREN("ScreenPlateLink"), "o",
     "select l.id from ScreenPlateLink l join Plate p on p.id = l.child where l.parent = :dsid and see(l._grp, l._owner) "
     "order by p.name, l.id",
     "ScreenPlateLink", "child.annotationLinks.child"},
    {"select well from Well as well join fetch well.details.creationEvent join fetch well.details.owner "
     "join fetch well.details.group left outer join fetch well.plate as pt left outer join fetch well.wellSamples as ws "
     "left outer join fetch ws.image as img where well.plate.id = :oid",
     "o", "select id from Well where plate = :oid and see(_grp, _owner) order by id", "Well", "plate wellSamples.image"},
    {CHILDREN("DatasetImageLink"), "o",
     "select l.id from DatasetImageLink l join Image i on i.id = l.child where l.parent = :dsid and see(l._grp, l._owner) "
     "order by i.name, l.id",
     "DatasetImageLink", "child.annotationLinks.child"},
    {GATEWAY " join obj.projectLinks projectLinks where projectLinks.parent.id = :pid and owner.id = (:eid)", "o",
     ANY " and obj._owner = :eid and obj.id in (select child from ProjectDatasetLink where parent = :pid) order by obj.id"},
    {GATEWAY " join obj.projectLinks projectLinks where projectLinks.parent.id = :pid", "o",
     ANY " and obj.id in (select child from ProjectDatasetLink where parent = :pid) order by obj.id"},
    {GATEWAY " join obj.datasetLinks dlink where dlink.parent.id = :did order by obj.name, obj.id", "o",
     ANY " and obj.id in (select child from DatasetImageLink where parent = :did) order by obj.name, obj.id"},
    {NOTES " where obj.id in (:ids)", "o", ANY " and obj.id in " IN("ids") " order by obj.id"},
    {NOTES " where obj.textValue=:textValue", "o", ANY " and obj.textValue = :textValue order by obj.id"},
    {NOTES, "o", ANY " order by obj.id"},
    {"select obj from Experimenter as obj left outer join fetch obj.groupExperimenterMap as groupExperimenterMap "
     "left outer join fetch groupExperimenterMap.parent g where obj.id in (:ids)",
     "o", "select id from Experimenter where id in " IN("ids") " order by id", "Experimenter", "groupExperimenterMap.parent"},
    {"select obj from ExperimenterGroup as obj left outer join fetch obj.groupExperimenterMap as map "
     "left outer join fetch map.child e where obj.id in (:ids)",
     "o", "select id from ExperimenterGroup where id in " IN("ids") " order by id", "ExperimenterGroup",
     "groupExperimenterMap.child"},
    {"select annLink from %T as annLink join fetch annLink.details.owner as owner join fetch annLink.details.creationEvent "
     "join fetch annLink.child as ann join fetch ann.details.owner join fetch ann.details.creationEvent "
     "join fetch annLink.parent as parent where parent.id in (:pids)",
     "o", "select id from %T where parent in " IN("pids") " and see(_grp, _owner) order by id", NULL, "child parent"},
    {"select l from %T as l join fetch l.details.owner join fetch l.details.creationEvent join fetch l.child as a "
     "join fetch a.details.owner left outer join fetch a.file join fetch a.details.creationEvent where l.parent.id=:n1",
     "o", "select id from %T where parent = :n1 and see(_grp, _owner) order by id", NULL, "child.file"},
    {"select p from Pixels p join fetch p.channels as c join fetch c.logicalChannel as lc where p.id=:pid", "o",
     "select id from Pixels where id = :pid and see(_grp, _owner)", "Pixels", "channels.logicalChannel"},
    {"select p from Image i join i.datasetLinks dl join dl.parent ds join ds.projectLinks pl join pl.parent p where i.id = :n1",
     "o",
     "select pl.parent from DatasetImageLink dl join ProjectDatasetLink pl on pl.child = dl.parent where dl.child = :n1 "
     "and see(pl._grp, pl._owner) order by pl.parent",
     "Project"},
    {"select p from %T p", "o", "select id from %T where see(_grp, _owner) order by id"},
    {"select fse from FilesetEntry as fse join fetch fse.originalFile where fse.fileset.id=:id", "o",
     "select id from FilesetEntry where fileset = :id and see(_grp, _owner) order by id", "FilesetEntry", "originalFile"},
    {"select count(fse), sum(fse.originalFile.size) from FilesetEntry as fse where fse.id in ( select "
     "distinct(i_fse.id) " OF_IMAGES ")",
     "ll",
     "select count(*), sum(o.size) from FilesetEntry e join OriginalFile o on o.id = e.originalFile "
     "where e.fileset in (select fileset from Image where id in " IN("ids") ") and see(e._grp, e._owner)"},
    {"select ann.id, ann.ns, ann.textValue from Fileset as fileset join fileset.annotationLinks as a_link join a_link.child as "
     "ann "
     "where fileset.id in ( select distinct(i_fileset.id) from Fileset as i_fileset join i_fileset.images as i_image "
     "where i_image.id in (:ids))",
     "lss",
     "select a.id, a.ns, a.textValue from FilesetAnnotationLink l join Annotation a on a.id = l.child "
     "where l.parent in (select fileset from Image where id in " IN("ids") ") and see(l._grp, l._owner) order by a.id"},
    {"select f.id, o.path, o.name, o.size, o.hash, h.value from Fileset f join f.usedFiles e join e.originalFile o "
     "left outer join o.hasher h where f.id in (:f) order by f.id, index(e)",
     "lsslss",
     "select e.fileset, o.path, o.name, o.size, o.hash, o.hasher from FilesetEntry e "
     "join OriginalFile o on o.id = e.originalFile where e.fileset in " IN("f")
     " and see(e._grp, e._owner) order by e.fileset, e.id"},
    {"select e.fileset.id, e.details.group.id, e.clientPath from FilesetEntry e "
     "where e.clientPath in (:p) and e.details.owner.id = :o order by e.fileset.id, e.id",
     "lls",
     "select fileset, _grp, clientPath from FilesetEntry where clientPath in " IN("p") " and _owner = :o and see(_grp, _owner) "
     "order by fileset, id"},
    {"select f.id, f.details.group.id, e.clientPath, o.size, o.hash, h.value from Fileset f join f.usedFiles e "
     "join e.originalFile o left outer join o.hasher h where f.id in (:f) order by f.id, index(e)",
     "llslss",
     "select e.fileset, e._grp, e.clientPath, o.size, o.hash, o.hasher from FilesetEntry e "
     "join OriginalFile o on o.id = e.originalFile where e.fileset in " IN("f")
     " and see(e._grp, e._owner) order by e.fileset, e.id"},
    {"select distinct f.id from DatasetImageLink l join l.child i join i.fileset f where l.parent.id = :d "
     "and f.details.owner.id = :o order by f.id",
     "l",
     "select distinct f.id from DatasetImageLink l join Image i on i.id = l.child join Fileset f on f.id = i.fileset "
     "where l.parent = :d and f._owner = :o and see(l._grp, l._owner) order by f.id"},
    {"select distinct f.id, d.id from DatasetImageLink l join l.parent d join l.child i join i.fileset f where f.id in (:f) "
     "and d.details.owner.id = :o order by f.id, d.id",
     "ll",
     "select distinct i.fileset, d.id from DatasetImageLink l join Image i on i.id = l.child join Dataset d on d.id = l.parent "
     "where i.fileset in " IN("f") " and d._owner = :o and see(l._grp, l._owner) order by i.fileset, d.id"},
    {"select p.id, p.name from ProjectDatasetLink l join l.parent p where l.child.id = :d order by p.id",
     "ls",
     "select p.id, p.name from ProjectDatasetLink l join Project p on p.id = l.parent where l.child = :d and "
     "see(l._grp, l._owner) order by p.id"},
    SOURCES("Dataset"),
    SOURCES("Screen"),
    {"select l.parent.id, a.textValue from FilesetAnnotationLink l join l.child a where l.parent.id in (:f) and a.ns = :ns "
     "order by l.parent.id",
     "ls",
     "select l.parent, a.textValue from FilesetAnnotationLink l join Annotation a on a.id = l.child "
     "where l.parent in " IN("f") " and a.ns = :ns and see(l._grp, l._owner) order by l.parent"},
    {"select ofile.path, ofile.name, fse.clientPath from FilesetEntry as fse join fse.fileset as fileset join fse.originalFile "
     "as ofile "
     "join fileset.images as image where image.id in (:id)",
     "sss",
     "select o.path, o.name, e.clientPath from FilesetEntry e join OriginalFile o on o.id = e.originalFile join Image i on "
     "i.fileset = e.fileset "
     "where i.id in (select value from json_each(:id)) and see(e._grp, e._owner) order by e.id"},
    {"select pchl from %T as pchl left outer join fetch pchl.parent as parent left outer join fetch pchl.child as child "
     "where child.id=:child",
     "o", "select id from %T where child = :child and see(_grp, _owner) order by id", NULL, "parent child"},
    {"from %T as c where c.child.id=:n1", "o", "select id from %T where child = :n1 and see(_grp, _owner) order by id"},
    {"from WellSample as c where c.image.id=:n1", "o",
     "select id from WellSample where image = :n1 and see(_grp, _owner) order by id", "WellSample"},
};

static bool after_equals(const struct buf *out)
{
    size_t n = out->len;

    while (n > 0 && out->data[n - 1] == ' ')
        n--;
    return n > 0 && out->data[n - 1] == '=';
}

/* White space squeezed, numbers after `=` taken out. */
static char *normal(const char *hql, int64_t numbers[TEXT_NUMBERS])
{
    AUTO(buf_clear) struct buf out = BUF_INIT(16384);
    int n = 0;

    for (; *hql; hql++) {
        if (isspace((unsigned char)*hql)) {
            if (out.len > 0 && out.data[out.len - 1] != ' ')
                buf_add_byte(&out, ' ');
        } else if (isdigit((unsigned char)*hql) && after_equals(&out) && n < TEXT_NUMBERS) {
            char *end;
            numbers[n++] = strtoll(hql, &end, 10);
            hql = end - 1;
            buf_printf(&out, ":n%d", n);
        } else {
            buf_add_byte(&out, (uint8_t)*hql);
        }
    }
    if (out.len > 0 && out.data[out.len - 1] == ' ')
        out.len--;
    return buf_take_str(&out);
}

static bool fits(const char *pattern, const char *hql, const struct entity **entity)
{
    const char *place = strstr(pattern, "%T");
    char name[64];

    if (!place)
        return strcmp(pattern, hql) == 0;

    size_t before = (size_t)(place - pattern);

    if (strncmp(pattern, hql, before) != 0)
        return false;
    hql += before;

    size_t n = strcspn(hql, " ");

    if (n == 0 || n >= sizeof(name) || strcmp(hql + n, place + 2) != 0)
        return false;
    snprintf(name, sizeof(name), "%.*s", (int)n, hql);
    *entity = entity_by_name(name);
    return *entity != NULL;
}

/* The table with the rows of that class alone. */
static void write_sql(const char *sql, const struct entity *e, char *out, size_t size)
{
    const char *place = strstr(sql, "%T");
    char table[160];

    if (!place) {
        snprintf(out, size, "%s", sql);
        return;
    }
    if (strcmp(e->table, e->name) == 0)
        snprintf(table, sizeof(table), "%s", e->table);
    else
        snprintf(table, sizeof(table), "(select * from %s where _kind = '%s')", e->table, e->name);
    snprintf(out, size, "%.*s%s%s", (int)(place - sql), sql, table, place + 2);
}

bool text_find(const char *hql, struct text_match *out)
{
    *out = (struct text_match){0};

    AUTO(mem_freep) char *asked = normal(hql, out->numbers);

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (fits(texts[i].hql, asked, &out->entity)) {
            out->text = &texts[i];
            write_sql(texts[i].sql, out->entity, out->sql, sizeof(out->sql));
            if (texts[i].entity)
                out->entity = entity_by_name(texts[i].entity);
            return true;
        }
    return false;
}
