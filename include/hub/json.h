/* json.h: writes JSON (RFC 8259) for people and programs: a bounded writer on struct hub_buf, and record
 * bodies and outcome values rendered from the same field tables that check them (body.h).
 *  1. The writer keeps no state but the bytes: a comma goes in front of a key or value unless the text
 *     so far is empty or ends in { [ : a space or a newline. So values can be written one behind the
 *     other, a prefix such as "data: " can be put in front, and lines can be ended with '\n'.
 *  2. No room left: out->full is set and the text is worthless; asked once, at the end.
 *  3. Rules for every answer: 64-bit numbers and amounts are decimal strings, amounts also as yuan with
 *     two decimals, bytes are lower-case hex, times RFC 3339 in UTC beside their milliseconds, what is
 *     absent is left out and never null.
 * It does not read JSON. */
#ifndef HUB_JSON_H
#define HUB_JSON_H

#include "hub/apply.h"

void hub_json_object(struct hub_buf *out); /* { */
void hub_json_object_end(struct hub_buf *out);
void hub_json_array(struct hub_buf *out); /* [ */
void hub_json_array_end(struct hub_buf *out);
/* "name": in front of a value. The name is written as a string like any other. */
void hub_json_key(struct hub_buf *out, const char *name);
void hub_json_key_span(struct hub_buf *out, struct hub_span name);

/* A string: quotes, backslash and control characters escaped; the bytes are otherwise copied and must
 * be UTF-8, as every text that hub_text_ok accepted is. */
void hub_json_string(struct hub_buf *out, const char *text);
void hub_json_string_span(struct hub_buf *out, struct hub_span text);
/* A 64-bit number as a decimal string: "1250000". */
void hub_json_u64(struct hub_buf *out, uint64_t v);
/* A plain number: for counts and indexes that stay below 2^53 in every reader. */
void hub_json_int(struct hub_buf *out, int64_t v);
void hub_json_bool(struct hub_buf *out, bool v);
/* Bytes as a string of lower-case hex. */
void hub_json_hex(struct hub_buf *out, struct hub_span bytes);
void hub_json_hash(struct hub_buf *out, const struct hub_hash *hash);
/* fen as a string of yuan: 1250000 -> "12500.00". */
void hub_json_yuan(struct hub_buf *out, uint64_t fen);
/* Unix milliseconds as RFC 3339: "2026-05-22T10:00:00.000Z". Years 1970 to 9999, later ones are
 * written as the decimal string of the milliseconds. */
void hub_json_time(struct hub_buf *out, uint64_t ms);
/* A wallet number as people see it: "00003-0000001896-38139". */
void hub_json_wallet(struct hub_buf *out, uint64_t number);
/* One value that is JSON already. */
void hub_json_raw(struct hub_buf *out, struct hub_span json);

/* Members of the open object: "name":value. A text that is empty is left out (rule 3). */
void hub_json_string_member(struct hub_buf *out, const char *name, const char *text);
void hub_json_text_member(struct hub_buf *out, const char *name, struct hub_span text);
void hub_json_u64_member(struct hub_buf *out, const char *name, uint64_t v);
void hub_json_int_member(struct hub_buf *out, const char *name, int64_t v);
void hub_json_bool_member(struct hub_buf *out, const char *name, bool v);
void hub_json_hex_member(struct hub_buf *out, const char *name, struct hub_span bytes);
void hub_json_hash_member(struct hub_buf *out, const char *name, const struct hub_hash *hash);
void hub_json_wallet_member(struct hub_buf *out, const char *name, uint64_t number);
/* "name":{"zh":"..","en":".."} */
void hub_json_names_member(struct hub_buf *out, const char *name, struct hub_span zh,
                           struct hub_span en);
/* Two members: "name_fen":"1250000","name":"12500.00". */
void hub_json_amount_members(struct hub_buf *out, const char *name, uint64_t fen);
/* Two members: "name":"2026-05-22T10:00:00.000Z","name_ms":"1779444000000". */
void hub_json_time_members(struct hub_buf *out, const char *name, uint64_t ms);

/* Characters without quotes or comma: for texts that are no JSON (logs, CSV, metrics). */
void hub_text_put(struct hub_buf *out, const char *text);
void hub_text_put_u64(struct hub_buf *out, uint64_t v);
void hub_text_put_yuan(struct hub_buf *out, uint64_t fen);
void hub_text_put_time(struct hub_buf *out, uint64_t ms);
void hub_text_put_wallet(struct hub_buf *out, uint64_t number);
void hub_text_put_hex(struct hub_buf *out, struct hub_span bytes);

/* A body that hub_body_check accepted, as one object. UINT fields whose range ends at 2^32 - 1 or below
 * are numbers, wider ones decimal strings; AMOUNT and TIME fields become the two members above. */
void hub_json_body(struct hub_buf *out, struct hub_span body, const struct hub_field *fields);
/* Any strict item: integers above 2^32 - 1 as strings, bytes as hex, integer keys as strings. */
void hub_json_item(struct hub_buf *out, struct hub_span item);
/* The value of a result (formats.cddl `result`) of this record, as the value of an open key:
 * {"wallet":".."} for wallet.open, {"applied":n,"failed":m} for a batch, of which nothing is applied when
 * code is not 0. Returns false and writes nothing when the value is null (empty span or the CBOR null). */
bool hub_json_result_value(struct hub_buf *out, const struct hub_record *record, uint16_t code,
                           struct hub_span value);
/* The failed entries of a batch: [{"n":112,"code":331,"name":"..","to":"..","amount_fen":".."}]. */
void hub_json_failed_entries(struct hub_buf *out, const struct hub_record *record,
                             struct hub_span value);

#endif
