/* body_walk.c: see body_walk.h. */
#include "ledger/body_walk.h"

#include "hub/results.h"

static enum hub_walk_step broken(struct hub_body_walk *w, uint16_t code)
{
    w->code = code;
    return HUB_WALK_BROKEN;
}

static bool is_container(const struct hub_field *f)
{
    return f->kind == HUB_FIELD_MAP || f->kind == HUB_FIELD_ARRAY || f->kind == HUB_FIELD_NESTED;
}

static struct hub_body_level *push(struct hub_body_walk *w, const struct hub_field *self)
{
    struct hub_body_level *in = &w->level[w->depth];

    HUB_ASSERT(w->depth < HUB_BODY_LEVELS_MAX);
    *in = (struct hub_body_level){.self = self};
    w->depth++;
    return in;
}

static enum hub_walk_step enter_map(struct hub_body_walk *w, const struct hub_field *self,
                                    const struct hub_field *fields)
{
    struct hub_body_level *in = push(w, self);

    in->next = fields;
    in->left = hub_cbor_map(&w->at, 0, UINT32_MAX);
    return w->at.bad ? broken(w, HUB_CODE_body_invalid) : HUB_WALK_OPEN;
}

static enum hub_walk_step enter_array(struct hub_body_walk *w, const struct hub_field *self)
{
    struct hub_body_level *in = push(w, self);

    HUB_ASSERT(self->min <= self->max && self->max <= UINT32_MAX);
    in->next = self->sub;
    in->left = hub_cbor_array(&w->at, (uint32_t)self->min, (uint32_t)self->max);
    return w->at.bad ? broken(w, HUB_CODE_body_invalid) : HUB_WALK_OPEN;
}

/* The inside of a byte string is read with a cursor of its own, after a strict check of its own. */
static enum hub_walk_step enter_nested(struct hub_body_walk *w, const struct hub_field *self)
{
    struct hub_span inside = hub_cbor_bytes(&w->at, (size_t)self->min, (size_t)self->max);
    struct hub_cbor outer = w->at;
    enum hub_walk_step step;

    if (w->at.bad)
        return broken(w, HUB_CODE_body_invalid);
    if (!hub_cbor_ok(inside))
        return broken(w, HUB_CODE_not_canonical);
    w->at = hub_cbor_open(inside);
    step = enter_map(w, self, self->sub);
    w->level[w->depth - 1].outer = outer;
    return step;
}

void hub_body_walk_init(struct hub_body_walk *w, struct hub_span body,
                        const struct hub_field *fields)
{
    w->at = hub_cbor_open(body);
    w->field = NULL;
    w->name = NULL;
    w->code = 0;
    w->depth = 0;
    enter_map(w, NULL, fields);
}

static bool named(const struct hub_field *f, struct hub_span key)
{
    size_t n = 0;

    while (n < key.len && f->name[n] != '\0' && f->name[n] == (char)key.data[n])
        n++;
    return n == key.len && f->name[n] == '\0';
}

/* Finds the field of the next key. The table stands in encoding order and keys in the bytes ascend, so
 * each field passed over is absent. */
static bool match_key(struct hub_body_walk *w, struct hub_body_level *in)
{
    struct hub_span key = hub_cbor_text(&w->at, 0, SIZE_MAX);

    if (w->at.bad)
        return false;
    for (; in->next->name != NULL; in->next++) {
        if (named(in->next, key)) {
            w->field = in->next++;
            w->name = w->field->name;
            return true;
        }
        if (in->next->required) {
            w->name = in->next->name;
            return false;
        }
    }
    w->name = NULL;
    return false;
}

static enum hub_walk_step leave(struct hub_body_walk *w)
{
    struct hub_body_level *in = &w->level[w->depth - 1];
    bool array = in->self != NULL && in->self->kind == HUB_FIELD_ARRAY;

    for (const struct hub_field *f = in->next; !array && f->name != NULL; f++)
        if (f->required) {
            w->name = f->name;
            return broken(w, HUB_CODE_body_invalid);
        }
    if (in->self != NULL && in->self->kind == HUB_FIELD_NESTED)
        w->at = in->outer;
    w->field = in->self;
    if (w->field != NULL && w->field->name != NULL)
        w->name = w->field->name;
    w->depth--;
    return w->depth == 0 ? HUB_WALK_END : HUB_WALK_CLOSE;
}

enum hub_walk_step hub_body_walk_next(struct hub_body_walk *w)
{
    struct hub_body_level *in = &w->level[w->depth - 1];

    HUB_ASSERT(w->depth > 0);
    if (w->at.bad && w->code == 0)
        return broken(w, HUB_CODE_body_invalid);
    if (w->code != 0)
        return HUB_WALK_BROKEN;
    if (in->left == 0)
        return leave(w);
    in->left--;
    if (in->self != NULL && in->self->kind == HUB_FIELD_ARRAY)
        w->field = in->next;
    else if (!match_key(w, in))
        return broken(w, HUB_CODE_body_invalid);
    if (!is_container(w->field))
        return HUB_WALK_VALUE;
    if (w->field->kind == HUB_FIELD_MAP)
        return enter_map(w, w->field, w->field->sub);
    return w->field->kind == HUB_FIELD_ARRAY ? enter_array(w, w->field) : enter_nested(w, w->field);
}
