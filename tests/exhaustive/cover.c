/* cover.c: which of the tuples with one network need not be followed.
 *
 * A tuple is covered by another one if each of its nodes is in a state that the other's node can reach alone, without
 * sending: then all it can do the other can do too, a few silent moves later. The relation is transitive, so those
 * covered by nothing but their equals stand for all. */
#include "search.h"

static bool among(const uint32_t *sorted, uint32_t count, uint32_t id)
{
    uint32_t low = 0;
    while (count > 1) {
        uint32_t half = count / 2;
        low += sorted[low + half] <= id ? half : 0;
        count -= half;
    }
    return sorted[low] == id;
}

static bool covers(struct search *s, const uint32_t *b, const uint32_t *a, const struct moves *can,
                   const struct moves *honest)
{
    for (int i = 0; i < s->count; i++) {
        if (b[i] == a[i])
            continue;
        const struct reach *r = search_look(s, b[i], can, honest);
        if (!among(s->list + r->first + r->sends + r->rests, r->silent, a[i]))
            return false;
    }
    return true;
}

size_t search_uncovered(struct search *s, struct found *f, size_t count, const struct moves *can,
                        const struct moves *honest)
{
    size_t left = 0;
    if (s->w.cfg.no_cover)
        return count;
    for (size_t a = 0; a < count; a++) {
        uint32_t id[WORLD_NODES] = {0}, other[WORLD_NODES] = {0};
        const struct found candidate = f[a];
        bool covered = false;
        search_unpack(s, candidate.key, id);
        for (size_t b = 0; b < left && !covered; b++) {
            search_unpack(s, f[b].key, other);
            covered = covers(s, other, id, can, honest);
        }
        if (covered)
            continue;
        size_t kept = 0;
        for (size_t b = 0; b < left; b++) {
            search_unpack(s, f[b].key, other);
            if (!covers(s, id, other, can, honest))
                f[kept++] = f[b];
        }
        f[kept] = candidate;
        left = kept + 1;
    }
    return left;
}
