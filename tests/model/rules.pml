/* rules.pml: the voting rules of Simplex-H (docs/protocol.md 4 and 5) and nothing else, for Spin.
 *
 *   N validators, B of them Byzantine, quorum Q, views 1..V, two blocks a view.
 *
 * The Byzantine validators are free choosers: their vote for everything is there from the start, so a certificate
 * exists when Q - B honest votes do. Any leader may be one of them: the blocks of a view and their parents are chosen
 * freely, when the first honest validator votes for them. Messages are never lost to the model: a validator may act on
 * any certificate that exists, or not. It may crash at any time: its votes are journalled, its view is not, so it can be
 * in every view that a certificate permits to enter. Honest validators are alike; their states are kept sorted.
 *
 * Rules removed, to see that the properties would notice:
 *   F_IGNORES_NULLIFY   FINALIZE after an own NULLIFY
 *   N_SKIPS_UNPROVEN    NOTARIZE past a view without its NULLIFICATION
 * ONLY_FORKS looks for nothing but two final blocks that are not on one chain. */
#ifndef N
#define N 4
#define B 1
#define Q 3
#define V 2
#endif
#define H (N - B)
#define BLOCKS (2 * V) /* block 2(v-1)+x is value x of view v */
#define GENESIS 1      /* of `parent`; 0 = not proposed yet; 2 + b = block b */

/* Five bits a view: NOTARIZE 0 none, 1 or 2 its value + 1; FINALIZE the same; NULLIFY. */
#define WORD(i, v) (vote[i] >> (5 * ((v) - 1)))
#define NOTARIZED(i, v) (WORD(i, v) & 3)
#define FINALIZED(i, v) ((WORD(i, v) >> 2) & 3)
#define NULLIFIED(i, v) ((WORD(i, v) >> 4) & 1)
#define VIEW(b) ((b) / 2 + 1)

int vote[H];
byte parent[BLOCKS];
bit notarization[BLOCKS], finalization[BLOCKS], nullification[V + 1];

byte i, v, x, p, b, k, count; /* of one step; zero between two */
int swap;
bool ok;

/* "Views move by certificates only"; a FINALIZATION needs its NOTARIZATION. */
#define MAY_BE_IN(v) (v == 1 || nullification[v - 1] || notarization[2 * (v) - 4] || notarization[2 * (v) - 3])

inline count_votes()
{
    b = 0;
    do
    :: b < BLOCKS ->
        count = B; k = 0;
        do
        :: k < H -> count = count + (NOTARIZED(k, VIEW(b)) == b % 2 + 1); k++
        :: else -> break
        od;
        notarization[b] = (count >= Q && parent[b] != 0);
        count = B; k = 0;
        do
        :: k < H -> count = count + (FINALIZED(k, VIEW(b)) == b % 2 + 1); k++
        :: else -> break
        od;
        finalization[b] = (count >= Q);
        b++
    :: else -> break
    od;
    v = 1;
    do
    :: v <= V ->
        count = B; k = 0;
        do
        :: k < H -> count = count + NULLIFIED(k, v); k++
        :: else -> break
        od;
        nullification[v] = (count >= Q);
        v++
    :: else -> break
    od
}

/* The properties of consensus: each a line of docs/protocol.md 4, "Safe". */
inline check()
{
    b = 0;
    do
    :: b < BLOCKS ->
#ifndef ONLY_FORKS
        assert(!finalization[b] || notarization[b]);
        assert(!(finalization[b] && nullification[VIEW(b)]));
        assert(b % 2 == 1 || !(notarization[b] && notarization[b + 1]));
#endif
        /* Down from a final block: the final blocks below it are on the way. */
        if
        :: finalization[b] ->
            assert(b % 2 == 1 || !finalization[b + 1]);
            p = parent[b]; k = b;
            do
            :: k > 0 ->
                k--;
                if
                :: p == k + 2 -> p = parent[k]
                :: else -> assert(VIEW(k) == VIEW(b) || !finalization[k])
                fi
            :: else -> break
            od
        :: else -> skip
        fi;
        b++
    :: else -> break
    od
}

/* A validator's number means nothing. */
inline sort()
{
    k = 1;
    do
    :: k < H ->
        b = k;
        do
        :: b > 0 && vote[b - 1] > vote[b] ->
            swap = vote[b]; vote[b] = vote[b - 1]; vote[b - 1] = swap; b--
        :: else -> break
        od;
        k++
    :: else -> break
    od
}

inline choose(variable, from, to)
{
    variable = from;
    do
    :: variable < to -> variable++
    :: break
    od
}

/* N. Value 1 is proposed after value 0 only: which is which means nothing. */
inline notarize()
{
    choose(x, 0, 1);
    b = 2 * (v - 1) + x;
    p = parent[b];
    if
    :: p == 0 -> choose(p, GENESIS, 2 * (v - 1) + 1)
    :: else -> skip
    fi;
    skip; /* Spin lets nothing jump into a d_step */
    d_step {
        ok = MAY_BE_IN(v) && NOTARIZED(i, v) == 0 && FINALIZED(i, v) == 0;
        if
        :: x == 1 -> ok = ok && parent[b - 1] != 0
        :: else -> skip
        fi;
        k = 0; /* the view of the parent */
        if
        :: p != GENESIS -> k = VIEW(p - 2); ok = ok && notarization[p - 2]
        :: else -> skip
        fi;
#ifndef N_SKIPS_UNPROVEN
        k++;
        do
        :: k < v -> ok = ok && nullification[k]; k++
        :: else -> break
        od;
#endif
        if
        :: ok -> parent[b] = p; vote[i] = vote[i] | ((x + 1) << (5 * (v - 1)))
        :: else -> skip
        fi
    }
}

inline nullify()
{
    ok = MAY_BE_IN(v) && FINALIZED(i, v) == 0 && !NULLIFIED(i, v);
    if
    :: ok -> vote[i] = vote[i] | (16 << (5 * (v - 1)))
    :: else -> skip
    fi
}

inline finalize()
{
    choose(x, 0, 1);
    ok = notarization[2 * (v - 1) + x] && FINALIZED(i, v) == 0 &&
         (NOTARIZED(i, v) == 0 || NOTARIZED(i, v) == x + 1);
#ifndef F_IGNORES_NULLIFY
    ok = ok && !NULLIFIED(i, v);
#endif
    if
    :: ok -> vote[i] = vote[i] | ((x + 1) << (5 * (v - 1) + 2))
    :: else -> skip
    fi
}

active proctype validators()
{
    do
    :: atomic {
        choose(i, 0, H - 1);
        choose(v, 1, V);
        if
        :: notarize()
        :: nullify()
        :: finalize()
        fi;
        skip;
        d_step {
            count_votes();
            check();
            sort();
            i = 0; v = 0; x = 0; p = 0; b = 0; k = 0; count = 0; swap = 0; ok = false
        }
    }
    od
}
