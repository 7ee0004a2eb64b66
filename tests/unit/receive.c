/* What a peer may make this node do with votes: a replica with no ports at all, since none of it may reach one. Validator
 * 0 of 4, q = 3; nobody's signature is good. */
#include "node/replica_parts.h"

#include <criterion/criterion.h>

enum { BURST = 4 * 8 }; /* n a second, at most 8 n at once (docs/protocol.md 9) */

static struct hub_replica r;
static struct hub_now now = {.mono_ms = 100000, .wall_ms = 1000000};

static void open(void)
{
    const struct hub_cons_config cfg = {.n = 4, .q = 3, .me = 0, .delta_ms = 250};
    const struct hub_point fin = {0};
    struct hub_event start = {.kind = HUB_EV_START};
    static struct hub_effects out;
    r.chain.set.n = 4;
    r.chain.set.q = 3;
    hub_cons_init(&r.cons, &cfg, &fin, 0);
    start.now_mono_ms = now.mono_ms;
    hub_cons_step(&r.cons, &start, &out);
    r.core_wake_ms = UINT64_MAX;
}
TestSuite(receive, .init = open);

/* A NULLIFY of view 1 in the name of `signer`, by the link of `peer`. */
static void vote(uint8_t peer, uint8_t signer)
{
    const struct hub_vote v = {.subject = {.kind = HUB_NULLIFY, .view = 1}, .signer = signer};
    uint8_t bytes[256];
    struct hub_buf frame = {bytes, 0, sizeof bytes, false};
    hub_message_vote(&frame, &v);
    hub_replica_on_message(&r, peer, hub_span_of(&frame), now);
}

Test(receive, a_wrong_signature_costs_its_sender_a_token)
{
    for (int i = 0; i < BURST + 10; i++)
        vote(1, 1);
    cr_assert_eq(r.peer[1].bad_signatures, BURST, "then nothing of it is checked");
    now.mono_ms += 1000;
    for (int i = 0; i < 10; i++)
        vote(1, 1);
    cr_assert_eq(r.peer[1].bad_signatures, BURST + 4, "n more a second");
    vote(2, 2);
    cr_assert_eq(r.peer[2].bad_signatures, 1, "others have their own");
}

Test(receive, a_vote_is_taken_from_its_signers_link_only)
{
    vote(2, 1);
    cr_assert_eq(r.peer[2].bad_signatures, 0, "not even checked");
    vote(1, 1);
    cr_assert_eq(r.peer[1].bad_signatures, 1);
}

/* Votes of ours leave after the replies of a turn: they must find room. */
Test(receive, replies_leave_room_in_the_outbox)
{
    cr_assert(hub_outbox_reply_room(&r));
    r.outbox.len = HUB_OUTBOX_REPLY_BYTES_MAX;
    cr_assert_not(hub_outbox_reply_room(&r));
    r.outbox.len = 0;
    r.frame_count = HUB_OUTBOX_FRAMES_MAX / 2;
    cr_assert_not(hub_outbox_reply_room(&r));
}

/* docs/hazards.md H12: q - 1 = 2 peers have to tell what they hold of our votes before there is another. */
Test(receive, no_vote_before_enough_peers_answered)
{
    r.permit.why = HUB_ABSTAIN_ASKING;
    r.permit.ask_due_ms = UINT64_MAX;
    for (uint8_t peer = 1; peer <= 2; peer++) {
        hub_permit_ask(&r);
        cr_assert_eq(r.permit.why, HUB_ABSTAIN_ASKING);
        hub_permit_answered(&r, peer);
    }
    hub_permit_ask(&r);
    cr_assert_eq(r.permit.why, HUB_ABSTAIN_NOT);
}

/* docs/protocol.md 11: requests cost a token as well: 64 at once, 32 a second (receive.c). This node offers none, and says
 * so; with a file each answer would be 128 KiB. */
Test(receive, a_piece_of_a_snapshot_costs_its_reader_a_token)
{
    static uint8_t room[1 << 16];
    uint8_t bytes[64];
    struct hub_buf frame = {bytes, 0, sizeof bytes, false};
    const struct hub_hash newest = {{0}};
    hub_message_get_snapshot(&frame, &newest, 0);
    r.outbox = (struct hub_buf){room, 0, sizeof room, false};
    for (int i = 0; i < 64 + 10; i++)
        hub_replica_on_message(&r, 1, hub_span_of(&frame), now);
    cr_assert_eq(r.frame_count, 64);
    now.mono_ms += 1000;
    for (int i = 0; i < 64; i++)
        hub_replica_on_message(&r, 1, hub_span_of(&frame), now);
    cr_assert_eq(r.frame_count, 64 + 32);
    hub_replica_on_message(&r, 2, hub_span_of(&frame), now);
    cr_assert_eq(r.frame_count, 64 + 32 + 1, "others have their own");
}
