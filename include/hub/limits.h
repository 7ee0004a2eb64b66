/* limits.h: every bound in one place, each with its reason. Relations between bounds are asserted
 * at the end; a bound that is part of the format or of validity says so and never changes alone. */
#ifndef HUB_LIMITS_H
#define HUB_LIMITS_H

enum {
    /* Records and blocks (validity). */
    HUB_RECORD_BYTES_MAX = 65535,     /* so that the log exports as C2SP tlog-tiles (u16 lengths) */
    HUB_ATTACHMENT_BYTES_MAX = 60000, /* 1,500 batch entries of 40 bytes */
    HUB_BATCH_ENTRY_BYTES = 40,
    HUB_BATCH_ENTRIES_MAX = 1500,
    HUB_BLOCK_BYTES_MAX = 1 << 20, /* body of a block: the leader's egress, 31 MiB at n = 31 */
    HUB_BLOCK_RECORDS_MAX = 4096,  /* 1 MiB / 256 bytes, the smallest useful record */
    HUB_BLOCK_UNDO_BYTES_MAX =
        16 << 20, /* row bytes one block may write: 26,214 batch entries x 2 wallets x 140 */
    HUB_BLOCK_RESULT_BYTES_MAX = 1
                                 << 19, /* 4,096 results x 47 bytes and 26,214 failed entries x 7 */
    HUB_RECORD_UNDO_BYTES_MAX =
        1 << 20, /* the heaviest record, 1,500 entries x 2 wallets, and one revision row */
    HUB_COSIGN_MAX = 16,
    HUB_RECORD_RESULT_BYTES_MAX = 16384, /* 1,500 failed entries x 7 bytes + head */

    /* Encoding (docs/formats.cddl). */
    HUB_CBOR_DEPTH_MAX = 8,

    /* State. */
    HUB_TABLES = 22,
    HUB_ROW_BYTES_MAX = 65536, /* a revision row holds an agreement body of at most 59,905 bytes */
    HUB_WALLET_ROW_BYTES = 128,
    HUB_MEMBER_ROW_BYTES = 640, /* codes, names, contact, 16 governors */
    HUB_GOVERNORS_MAX =
        16, /* governor keys a member may have: counting them is a step of key.revoke */
    HUB_KEY_ROW_BYTES = 1024, /* sequence window 512 + names and grants */
    /* Slots of the currency tables: the longest row of ledger/wallet.h and its 2-byte length, rounded up to 16. */
    HUB_LIMITS_ROW_BYTES = 112,     /* key and ten amounts */
    HUB_CHILDREN_ROW_BYTES = 32,    /* parent, total, count */
    HUB_INSTITUTION_ROW_BYTES = 48, /* number, quota, issued, retired, reserve */
    HUB_BATCH_ROW_BYTES = 48,       /* institution and reference (18 bytes), height, index */
    HUB_REFERENCE_ROW_BYTES = 64,   /* key (at most 21 bytes), height, index, wallet */
    HUB_TOTALS_ROW_BYTES = 192,     /* issued, retired, balance and wallets of each kind */
    HUB_EVIDENCE_ROW_BYTES = 512,   /* a convicted validator with its offences */
    HUB_SEQ_WINDOW = 4096,          /* bits below the highest number, RFC 4303 3.4.3 */
    HUB_SEQ_AHEAD = 65536,

    /* Consensus. */
    HUB_SEAL_GAP =
        100, /* heights between two sealing blocks: links of receipts stay few (validity) */
    HUB_VALIDATORS_MAX = 64, /* signer bitmap is one u64 */
    HUB_UNFINAL_MAX = 8,     /* applied blocks above the finalized one: undo logs are this many */
    HUB_EMPTY_MAX =
        64, /* newest empty blocks of which headers are held, like certificates of views */
    HUB_VIEWS_MAX = 16, /* view-1 .. view+2 and the 8 newest notarized above top, rounded up */
    HUB_GAPS_MAX = 64,  /* nullified intervals kept in memory; older ones are in the store */
    HUB_JUST_MAX = 34,  /* certificates in one PROPOSE: finalization, parent, 32 nullifications */
    HUB_CANDIDATES_MAX =
        22, /* different subjects tallied per view and kind: n - q + 1 at n = 64, so junk never
                               * keeps out the one that can still reach a quorum */
    HUB_EFFECTS_MAX =
        64, /* per step: 12 views x (KEEP_BLOCK, VOTE, FETCH_BLOCK or EXECUTE) + 20 others */
    HUB_GET_VIEWS_MAX = 64, /* views one GET_CERTS may ask for */

    /* Replica (node/replica.h). */
    HUB_PEERS_MAX = 128, /* links: validators by index 0..63, other nodes that may listen 64..127 */
    HUB_TURN_STEPS_MAX = 64, /* blocks executed in one turn, so that timers are never starved */
    HUB_EVENTS_MAX =
        128, /* waiting for the core: one step asks for a few; beyond it, lost like a message */
    HUB_VOTE_VIEWS_MAX =
        20, /* views whose votes are kept with signatures: the core's slots and a few just left */
    HUB_BODIES_MAX =
        64, /* blocks in memory: one GET_BLOCKS answer; when full, stored and unproven ones go */
    HUB_BODY_BYTES_MAX = HUB_BLOCK_BYTES_MAX + 4096, /* a block's records, its header and heads */
    HUB_WANTS_MAX = 40, /* blocks to fetch or execute: two a view slot, and a few */
    HUB_OUTBOX_BYTES_MAX =
        4 << 20, /* frames of one turn: a proposal, replies, the small ones; beyond it, lost */
    HUB_OUTBOX_REPLY_BYTES_MAX =
        2 << 20, /* replies stop here: a hungry peer never crowds out a vote */
    HUB_OUTBOX_FRAMES_MAX = 1024,
    HUB_REPLY_ITEMS_MAX = 64, /* certificates or blocks in one answer (docs/protocol.md 11) */
    HUB_REPLY_BYTES_MAX = 1 << 20,
    HUB_RECORDS_FRAME_BYTES_MAX =
        65536,          /* forwarded records in one frame, or a single longer one */
    HUB_MENDS_MAX = 16, /* damaged blocks asked for at a time; the next reading finds the others */
    HUB_SNAPSHOT_PIECE_BYTES =
        128 << 10, /* of a snapshot's file in one frame: at 32 answers a second 4 MiB/s, a third of
                            * the default uplink, and one short read of the main thread */
    HUB_STATUS_PERIOD_MS = 1000,
    HUB_STATUS_IDLE_MS = 5000,
    HUB_CLOCK_AHEAD_MS =
        5000, /* a block further ahead of our wall clock is not voted for yet (docs/protocol.md 4 N) */
    HUB_COMMIT_DELAY_MS = 50, /* what need not be durable before a send is so after this */
    HUB_ASK_VOTES_MS =
        500, /* at start: again, until q - 1 peers told our votes (docs/protocol.md 10) */
    HUB_ASK_CLONE_MS = 30000, /* later: so long may a second node with this key go unseen */
    HUB_RESUME_VIEWS =
        16, /* that the chain passes the last vote known before a lost journal is begun anew */
    HUB_CERTIFICATE_BYTES_MAX = 4400, /* 64 signatures, bitmap, the longest subject */
    HUB_EVIDENCE_BYTES_MAX =
        10240,            /* an epoch, two votes or a vote and a header; links come on top */
    HUB_SECONDS_MAX = 64, /* second, different votes in memory until their evidence is made */
    HUB_OFFENCES_MAX =
        16, /* offences of one validator in one epoch that are kept and recorded: more prove nothing
                            * more, and a traitor must not make the ledger grow with every view */
    HUB_ACCUSED_MAX = HUB_VALIDATORS_MAX * HUB_OFFENCES_MAX,

    /* Agreements (docs/formats.cddl). */
    HUB_PARTIES_MAX = 32,
    HUB_DOCUMENTS_MAX = 16,
    HUB_MILESTONES_MAX = 32,
    HUB_AREAS_MAX = 32,
    HUB_AGREEMENT_NUMBER_MAX = 64,
    HUB_REMARK_BYTES_MAX = 1000, /* formats.cddl `remark` */
    HUB_SENTENCE_BYTES_MAX =
        8192, /* what blocks an agreement: 64 names of 100 bytes and some words */
    HUB_EXECUTED_BYTES_MAX =
        1 << 17, /* a record-sized body and 32 consents of at most 1,140 bytes */

    /* Governance (docs/governance.md). */
    HUB_ACTIONS_MAX = 16, /* in a proposal: what a council can read and decide as one */
    HUB_ACTIONS_BYTES_MAX =
        16384, /* 8 admissions with the 16 keys that can co-sign and a set of 64: 12 KB */
    HUB_VOTERS_MAX = 512, /* voting members: their votes fit the row of a proposal */
    HUB_ADMIT_KEYS_MAX = 8,

    HUB_MEMBER_CODE_MAX = 18,
    HUB_NETWORK_NAME_MAX = 64,
    HUB_GENESIS_BYTES_MAX = 65535, /* it is log leaf 0, a record-sized leaf */
    HUB_BUNDLE_BYTES_MAX = 1 << 20,
    HUB_PATH_MAX = 64,
    HUB_BUNDLE_HEADERS_MAX =
        64, /* headers from a certified block down to the one that holds the record */
    HUB_BUNDLE_LINKS_MAX = 64, /* epochs a receipt can be away from genesis */
    HUB_BUNDLE_ROWS_MAX = 16,
    HUB_RECOVERY_BYTES_MAX =
        8192, /* a record epoch.recover: 16 signers, 64 validators, 16 co-signatures, a reason */
    HUB_RECOVERIES_MAX =
        16, /* recovery epochs that one run follows: each is a disaster of its own */
    HUB_EPOCH_BYTES_MAX =
        8192 - 32, /* 64 validators of at most 100 bytes, and heads: a row of the table holds it */
    HUB_LINK_BYTES_MAX =
        49152, /* 64 headers of 512 bytes, an epoch, a certificate of 4,400, and heads */
    HUB_STATEMENT_RECEIPTS_MAX = 64, /* one of each validator */

    /* Derived data of a node between two checkpoints (node/history.h, node/checkpoint.h). */
    HUB_CHECKPOINT_BLOCK_BYTES =
        32 << 20, /* blocks above a checkpoint: what a restart executes again, seconds */
    HUB_CHECKPOINT_LOG_BYTES =
        8 << 20, /* blocks of which nodes, ids and results wait in memory: what of them is
                                            * written at a time, 50 to 100 ms */
    HUB_CHECKPOINT_WRITES_MAX =
        65536, /* rows written since the last, where the state has more pages than the next */
    HUB_CHECKPOINT_PAGES_MAX =
        100000, /* pages of rows in one transaction: LMDB 0.9 keeps 131,071 pages dirty
                                            * before it spills, which its 0.9.24 does wrongly (H10) */
    HUB_HISTORY_RECORDS_MAX =
        1 << 19, /* 32 MiB of records of 256 bytes, and 64 blocks of one turn; address
                                            * space, touched as used; so are the next two */
    HUB_HISTORY_BLOCKS_MAX =
        1 << 18, /* 32 MiB of blocks of 500 bytes with one record, and a turn's */
    HUB_HISTORY_RESULT_BYTES_MAX = 64
                                   << 20, /* results are at most half as long as what they are of */

    /* One wire frame: a whole block, its just certificates and heads. */
    HUB_FRAME_BYTES_MAX = HUB_BLOCK_BYTES_MAX + HUB_JUST_MAX * HUB_CERTIFICATE_BYTES_MAX + 4096
};

#define HUB_UINT_MAX 9007199254740991u /* 2^53 - 1: safe in every language (docs/formats.cddl) */
#define HUB_SNAPSHOT_BYTES_MAX                                                                     \
    UINT64_C(                                                                                      \
        0x200000000) /* 8 GiB: 33 million wallets and their references; a stranger's file     \
                           * costs a joining node no more disk */
#define HUB_AMOUNT_MAX 1000000000000000u /* fen; ten trillion yuan */

_Static_assert(HUB_BATCH_ENTRIES_MAX *HUB_BATCH_ENTRY_BYTES <= HUB_ATTACHMENT_BYTES_MAX,
               "a full batch fits");
_Static_assert(HUB_BLOCK_UNDO_BYTES_MAX >= HUB_RECORD_UNDO_BYTES_MAX,
               "any record fits an empty block");
_Static_assert(HUB_VIEWS_MAX >= 4 + 8, "view-1..view+2 and the 8 newest notarized");
_Static_assert(HUB_EFFECTS_MAX >= (4 + 8) * 3 + 20, "every effect of one step fits");
_Static_assert(HUB_CANDIDATES_MAX >= HUB_VALIDATORS_MAX - (2 * HUB_VALIDATORS_MAX / 3 + 1) + 1,
               "see its line");
_Static_assert(HUB_RECORD_BYTES_MAX + HUB_ATTACHMENT_BYTES_MAX < HUB_BLOCK_BYTES_MAX,
               "any record fits a block");

#endif
