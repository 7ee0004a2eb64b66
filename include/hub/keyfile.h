/* keyfile.h: one file, one seed, one signing key and one transport key.
 *
 *     hubledger key file, format 1
 *     label: Xiangcheng governor
 *     kid: 64 hex digits
 *     key: 64 hex digits, the Ed25519 public key
 *     transport: 64 hex digits, the X25519 public key
 *     protection: passphrase | UNPROTECTED (trial networks only)
 *     one line of base64
 *
 *  1. The line is salt[16] || opslimit be64 || memlimit be64 || nonce[24] || sealed seed[48] when a
 *     passphrase protects it (Argon2id, XChaCha20-Poly1305, the lines above as associated data), or
 *     the seed[32] itself. The seed is the Ed25519 private key of RFC 8032; the transport key is
 *     derived from it by crypto_kdf, so that neither key tells anything about the other.
 *  2. A file is created only where none is, with mode 0600, and is on disk when create returns. One that
 *     others than its owner can open is not read.
 *  3. Secrets live in guarded memory (sodium_malloc) and are wiped; hub_crypto_self_test comes first.
 *  4. Every failure sets *why to a sentence (constant, in English) that names the rule and the remedy;
 *     the caller puts the path in front of it. */
#ifndef HUB_KEYFILE_H
#define HUB_KEYFILE_H

#include "hub/sign.h"

enum {
    HUB_KEY_LABEL_MAX = 64,    /* bytes, as in formats.cddl key-grant */
    HUB_PASSPHRASE_MAX = 1024, /* bytes; a diceware phrase has about 60 */
    HUB_TRANSPORT_BYTES = 32
};

/* Guarded, read-only memory. */
struct hub_keyfile_secrets {
    uint8_t sign[HUB_SECRET_BYTES];         /* for hub_sign */
    uint8_t transport[HUB_TRANSPORT_BYTES]; /* X25519 secret key, as CURVE uses it */
};

struct hub_keyfile {
    char label[HUB_KEY_LABEL_MAX + 1];
    struct hub_public_key key;
    struct hub_hash kid;
    uint8_t transport[HUB_TRANSPORT_BYTES]; /* X25519 public key */
    bool unprotected;
    const struct hub_keyfile_secrets
        *secrets; /* owned, released by hub_keyfile_close; NULL after show */
};

/* Makes a new key. label: 1..64 bytes without control characters. The passphrase is the first line of
 * passphrase_file, which others must not be able to open (a pipe or terminal is taken as it is).
 * HUB_CONFLICT: path exists. HUB_BAD_KEY_FILE: label or passphrase file. HUB_IO. */
HUB_MUST_USE enum hub_status hub_keyfile_create(const char *path, const char *label,
                                                const char *passphrase_file, const char **why);

/* The same without protection, marked UNPROTECTED: for trial networks, and only where the user asked
 * for it in so many words. */
HUB_MUST_USE enum hub_status hub_keyfile_create_unprotected(const char *path, const char *label,
                                                            const char **why);

/* Reads the public part, which no passphrase protects and nothing but kid = SHA-256(key) checks.
 * HUB_NOT_FOUND, HUB_BAD_KEY_FILE, HUB_IO; *out is untouched then. */
HUB_MUST_USE enum hub_status hub_keyfile_show(struct hub_keyfile *out, const char *path,
                                              const char **why);

/* Reads all of it; takes about a second and 256 MiB when protected. passphrase_file may be NULL for an
 * unprotected file. Errors as hub_keyfile_show; a wrong passphrase is HUB_BAD_KEY_FILE. */
HUB_MUST_USE enum hub_status hub_keyfile_open(struct hub_keyfile *out, const char *path,
                                              const char *passphrase_file, const char **why);

/* Wipes and releases the secrets. May be called twice, and after a failed open of a zeroed struct. */
void hub_keyfile_close(struct hub_keyfile *k);

#endif
