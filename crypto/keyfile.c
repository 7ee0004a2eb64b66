/* keyfile.c: key files. The only file of crypto/ that allocates and does I/O. */
#include "hub/keyfile.h"

#include "hub/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES_MAX = 1024, /* a file has at most 600 */
    HEX_DIGITS = 64,
    SEALED_BYTES = HUB_SEED_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
    BLOB_BYTES = crypto_pwhash_SALTBYTES + 8 + 8 + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES +
                 SEALED_BYTES,
    TRANSPORT_SUBKEY = 1
};

/* What a file may demand of Argon2id: libsodium's SENSITIVE, so that a made-up file cannot take the
 * machine's memory. New files use MODERATE. */
#define OPSLIMIT_MAX crypto_pwhash_OPSLIMIT_SENSITIVE
#define MEMLIMIT_MAX crypto_pwhash_MEMLIMIT_SENSITIVE

static const char first_line[] = "hubledger key file, format 1\n";
static const char protected_line[] = "protection: passphrase\n";
static const char unprotected_line[] = "protection: UNPROTECTED (trial networks only)\n";

/* Everything secret that a call handles, in one guarded allocation. */
struct scratch {
    char text[FILE_BYTES_MAX + 1];
    char passphrase[HUB_PASSPHRASE_MAX + 2];
    uint8_t blob[BLOB_BYTES];
    uint8_t seed[HUB_SEED_BYTES];
    uint8_t box_key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    struct hub_keyfile_secrets secrets;
};

static enum hub_status failed(enum hub_status status, const char **why, const char *sentence)
{
    *why = sentence;
    return status;
}

/* ---- the keys of a seed */

static void derive(struct hub_keyfile *k, struct hub_keyfile_secrets *secrets,
                   const uint8_t seed[HUB_SEED_BYTES])
{
    int bad;

    hub_key_from_seed(&k->key, secrets->sign, seed);
    hub_kid_of(&k->kid, &k->key);
    bad = crypto_kdf_derive_from_key(secrets->transport, HUB_TRANSPORT_BYTES, TRANSPORT_SUBKEY,
                                     "hubcurve", seed);
    bad |= crypto_scalarmult_base(k->transport, secrets->transport);
    HUB_ASSERT(bad == 0);
}

/* ---- the text above the base64 line */

static size_t write_header(char *out, size_t cap, const struct hub_keyfile *k)
{
    char kid[HEX_DIGITS + 1], key[HEX_DIGITS + 1], transport[HEX_DIGITS + 1];
    int n;

    sodium_bin2hex(kid, sizeof kid, k->kid.b, sizeof k->kid.b);
    sodium_bin2hex(key, sizeof key, k->key.b, sizeof k->key.b);
    sodium_bin2hex(transport, sizeof transport, k->transport, sizeof k->transport);
    n = snprintf(out, cap, "%slabel: %s\nkid: %s\nkey: %s\ntransport: %s\n%s", first_line, k->label,
                 kid, key, transport, k->unprotected ? unprotected_line : protected_line);
    HUB_ASSERT(n > 0 && (size_t)n < cap);
    return (size_t)n;
}

/* The value of the line "name: value" at *at, and *at behind it. Returns its length, 0 if there is no
 * such line or the value is longer than max. */
static size_t read_line(const char **at, const char *name, const char **value, size_t max)
{
    size_t prefix = strlen(name), n;

    if (strncmp(*at, name, prefix) != 0)
        return 0;
    *value = *at + prefix;
    n = strcspn(*value, "\n");
    if (n > max || (*value)[n] != '\n')
        return 0;
    *at = *value + n + 1;
    return n;
}

static bool read_hex(const char **at, const char *name, uint8_t out[32])
{
    const char *value;

    return read_line(at, name, &value, HEX_DIGITS) == HEX_DIGITS &&
           sodium_hex2bin(out, 32, value, HEX_DIGITS, NULL, NULL, NULL) == 0;
}

static bool label_ok(const char *label)
{
    size_t n = strlen(label);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f)
            return false;
    return n >= 1 && n <= HUB_KEY_LABEL_MAX;
}

/* Reads the header of text; *body is the base64 line behind it. Accepted is what write_header writes,
 * byte for byte. */
static bool read_header(struct hub_keyfile *k, const char *text, const char **body)
{
    char again[FILE_BYTES_MAX];
    const char *at = text, *label = text;
    struct hub_hash kid;
    size_t n;

    memset(k, 0, sizeof *k);
    if (strncmp(at, first_line, strlen(first_line)) != 0)
        return false;
    at += strlen(first_line);
    n = read_line(&at, "label: ", &label, HUB_KEY_LABEL_MAX);
    memcpy(k->label, label, n);
    if (!label_ok(k->label) || !read_hex(&at, "kid: ", k->kid.b) ||
        !read_hex(&at, "key: ", k->key.b) || !read_hex(&at, "transport: ", k->transport))
        return false;
    k->unprotected = strncmp(at, unprotected_line, strlen(unprotected_line)) == 0;
    hub_kid_of(&kid, &k->key);
    n = write_header(again, sizeof again, k);
    *body = text + n;
    return strncmp(text, again, n) == 0 && hub_hash_equal(&kid, &k->kid);
}

/* ---- sealing. Layout of the blob: keyfile.h, point 1. */

static bool box_key_of(struct scratch *s, const uint8_t *salt, uint64_t opslimit, uint64_t memlimit)
{
    return crypto_pwhash(s->box_key, sizeof s->box_key, s->passphrase, strlen(s->passphrase), salt,
                         opslimit, (size_t)memlimit, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

static bool seal(struct scratch *s, const char *header, size_t header_len)
{
    uint8_t *salt = s->blob, *limits = salt + crypto_pwhash_SALTBYTES, *nonce = limits + 16;
    uint8_t *box = nonce + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;

    randombytes_buf(salt, crypto_pwhash_SALTBYTES);
    randombytes_buf(nonce, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    hub_put_be64(limits, crypto_pwhash_OPSLIMIT_MODERATE);
    hub_put_be64(limits + 8, crypto_pwhash_MEMLIMIT_MODERATE);
    if (!box_key_of(s, salt, crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE))
        return false;
    return crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, s->seed, sizeof s->seed,
                                                      (const uint8_t *)header, header_len, NULL,
                                                      nonce, s->box_key) == 0;
}

static bool unseal(struct scratch *s, const char *header, size_t header_len)
{
    const uint8_t *salt = s->blob, *limits = salt + crypto_pwhash_SALTBYTES, *nonce = limits + 16;
    const uint8_t *box = nonce + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
    uint64_t opslimit = hub_get_be64(limits), memlimit = hub_get_be64(limits + 8);

    if (opslimit > OPSLIMIT_MAX || memlimit > MEMLIMIT_MAX)
        return false;
    if (!box_key_of(s, salt, opslimit, memlimit))
        return false;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(s->seed, NULL, NULL, box, SEALED_BYTES,
                                                      (const uint8_t *)header, header_len, nonce,
                                                      s->box_key) == 0;
}

/* ---- files */

/* Reads the first cap bytes; -1 on error. The callers' caps are above what they accept. */
static ssize_t read_some(int fd, char *out, size_t cap)
{
    size_t n = 0;

    while (n < cap) {
        ssize_t got = read(fd, out + n, cap - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

/* Opens a file that holds a secret. */
static enum hub_status open_secret(int *fd, const char *path, bool regular_only, const char **why)
{
    struct stat st;

    /* A named pipe in place of a key file is refused below, not waited for. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | (regular_only ? O_NONBLOCK : 0));
    if (*fd < 0 && errno == ENOENT)
        return failed(HUB_NOT_FOUND, why, "there is no such file");
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return failed(HUB_IO, why, "the file cannot be opened: run as the user who owns it");
    if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        return failed(HUB_BAD_KEY_FILE, why,
                      "a secret must be closed to all but its owner: chmod 600 the file");
    if (!S_ISREG(st.st_mode) && regular_only)
        return failed(HUB_BAD_KEY_FILE, why, "a key file is a regular file");
    return HUB_OK;
}

/* The text of a key file, terminated. */
static enum hub_status load(struct scratch *s, const char *path, const char **why)
{
    int fd;
    enum hub_status status = open_secret(&fd, path, true, why);

    if (status == HUB_OK) {
        ssize_t n = read_some(fd, s->text, FILE_BYTES_MAX);

        if (n < 0 || memchr(s->text, '\0', (size_t)n) != NULL)
            status = failed(HUB_BAD_KEY_FILE, why, "this is no key file of format 1");
        else
            s->text[n] = '\0';
    }
    if (fd >= 0)
        close(fd);
    return status;
}

/* The first line of the passphrase file, terminated. */
static enum hub_status load_passphrase(struct scratch *s, const char *path, const char **why)
{
    int fd;
    enum hub_status status = open_secret(&fd, path, false, why);

    if (status == HUB_OK) {
        ssize_t n = read_some(fd, s->passphrase, HUB_PASSPHRASE_MAX + 1);

        s->passphrase[n < 0 ? 0 : n] = '\0';
        s->passphrase[strcspn(s->passphrase, "\n")] = '\0';
        if (s->passphrase[0] == '\0' || strlen(s->passphrase) > HUB_PASSPHRASE_MAX)
            status = failed(HUB_BAD_KEY_FILE, why,
                            "the passphrase file must hold one line of 1 to 1024 bytes");
    } else if (status == HUB_NOT_FOUND) {
        *why = "the passphrase file does not exist";
    } else if (status == HUB_BAD_KEY_FILE) {
        *why = "the passphrase file must be closed to all but its owner: chmod 600 it";
    }
    if (fd >= 0)
        close(fd);
    return status;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* A new name is on disk once its directory is. */
static bool sync_directory_of(const char *path)
{
    char copy[PATH_MAX];
    int fd;
    bool ok;

    if (strlen(path) >= sizeof copy)
        return false;
    memcpy(copy, path, strlen(path) + 1);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

static enum hub_status store(const char *path, const char *text, size_t len, const char **why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok;

    if (fd < 0 && errno == EEXIST)
        return failed(HUB_CONFLICT, why, "the file exists, and keys are never overwritten");
    if (fd < 0)
        return failed(HUB_IO, why, "the file cannot be created here");
    /* A umask may have taken more away, never less. */
    ok = fchmod(fd, 0600) == 0 && write_all(fd, text, len) && fsync(fd) == 0;
    ok &= close(fd) == 0;
    if (ok && sync_directory_of(path))
        return HUB_OK;
    unlink(path);
    return failed(HUB_IO, why, "the file could not be written to disk: is it full?");
}

/* ---- the calls */

/* passphrase_file NULL: unprotected. */
static enum hub_status create(const char *path, const char *label, const char *passphrase_file,
                              const char **why)
{
    struct hub_keyfile k = {.unprotected = passphrase_file == NULL};
    struct scratch *s = NULL;
    size_t n, blob_len = BLOB_BYTES;
    enum hub_status status;

    if (!label_ok(label))
        return failed(HUB_BAD_KEY_FILE, why,
                      "a label has 1 to 64 bytes and no control characters: choose another");
    if (access(path, F_OK) == 0) /* told before the user waits for Argon2id; store decides */
        return failed(HUB_CONFLICT, why, "the file exists, and keys are never overwritten");
    s = sodium_malloc(sizeof *s);
    if (s == NULL)
        return failed(HUB_IO, why, "no memory for secrets");
    memcpy(k.label, label, strlen(label));
    randombytes_buf(s->seed, sizeof s->seed);
    derive(&k, &s->secrets, s->seed);
    n = write_header(s->text, sizeof s->text, &k);
    status = passphrase_file == NULL ? HUB_OK : load_passphrase(s, passphrase_file, why);
    if (status != HUB_OK)
        goto out;
    if (k.unprotected) {
        memcpy(s->blob, s->seed, sizeof s->seed);
        blob_len = sizeof s->seed;
    } else if (!seal(s, s->text, n)) {
        status = failed(HUB_IO, why, "Argon2id needs 256 MiB of memory to protect the key");
        goto out;
    }
    sodium_bin2base64(s->text + n, sizeof s->text - n, s->blob, blob_len,
                      sodium_base64_VARIANT_ORIGINAL);
    n += strlen(s->text + n);
    HUB_ASSERT(n + 1 < sizeof s->text);
    s->text[n++] = '\n';
    status = store(path, s->text, n, why);
out:
    sodium_free(s);
    return status;
}

enum hub_status hub_keyfile_create(const char *path, const char *label, const char *passphrase_file,
                                   const char **why)
{
    HUB_ASSERT(passphrase_file != NULL);
    return create(path, label, passphrase_file, why);
}

enum hub_status hub_keyfile_create_unprotected(const char *path, const char *label,
                                               const char **why)
{
    return create(path, label, NULL, why);
}

/* The seed in s, from the base64 line of the file that s->text holds and k describes. */
static enum hub_status recover(struct scratch *s, const struct hub_keyfile *k, const char *body,
                               const char *passphrase_file, const char **why)
{
    size_t want = k->unprotected ? HUB_SEED_BYTES : BLOB_BYTES, got;
    const char *end;
    enum hub_status status;

    if (sodium_base642bin(s->blob, sizeof s->blob, body, strlen(body), NULL, &got, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got != want || strcmp(end, "\n") != 0)
        return failed(HUB_BAD_KEY_FILE, why, "the key file is damaged: restore it from a copy");
    if (k->unprotected) {
        memcpy(s->seed, s->blob, HUB_SEED_BYTES);
        return HUB_OK;
    }
    if (passphrase_file == NULL)
        return failed(HUB_BAD_KEY_FILE, why,
                      "a passphrase protects the key: give --passphrase-file FILE");
    status = load_passphrase(s, passphrase_file, why);
    if (status == HUB_OK && !unseal(s, s->text, (size_t)(body - s->text)))
        return failed(HUB_BAD_KEY_FILE, why,
                      "the passphrase does not open it, or the key file was changed");
    return status;
}

/* Guarded, read-only memory with the secrets of the seed in s, whose public keys must be those of k. */
static enum hub_status keep(struct hub_keyfile *k, struct scratch *s, const char **why)
{
    struct hub_keyfile derived;
    struct hub_keyfile_secrets *kept;

    derive(&derived, &s->secrets, s->seed);
    if (memcmp(derived.key.b, k->key.b, sizeof k->key.b) != 0 ||
        memcmp(derived.transport, k->transport, sizeof k->transport) != 0)
        return failed(HUB_BAD_KEY_FILE, why,
                      "the secret key is not that of the public one: restore the file from a copy");
    kept = sodium_malloc(sizeof *kept);
    if (kept == NULL)
        return failed(HUB_IO, why, "no memory for secrets");
    memcpy(kept, &s->secrets, sizeof *kept);
    sodium_mprotect_readonly(kept);
    k->secrets = kept;
    return HUB_OK;
}

static enum hub_status read_file(struct hub_keyfile *out, const char *path, bool with_secrets,
                                 const char *passphrase_file, const char **why)
{
    struct scratch *s = sodium_malloc(sizeof *s);
    struct hub_keyfile k;
    const char *body;
    enum hub_status status;

    if (s == NULL)
        return failed(HUB_IO, why, "no memory for secrets");
    status = load(s, path, why);
    if (status == HUB_OK && !read_header(&k, s->text, &body))
        status = failed(HUB_BAD_KEY_FILE, why, "this is no key file of format 1");
    if (status == HUB_OK && with_secrets) {
        status = recover(s, &k, body, passphrase_file, why);
        if (status == HUB_OK)
            status = keep(&k, s, why);
    }
    if (status == HUB_OK)
        *out = k;
    sodium_free(s);
    return status;
}

enum hub_status hub_keyfile_show(struct hub_keyfile *out, const char *path, const char **why)
{
    return read_file(out, path, false, NULL, why);
}

enum hub_status hub_keyfile_open(struct hub_keyfile *out, const char *path,
                                 const char *passphrase_file, const char **why)
{
    return read_file(out, path, true, passphrase_file, why);
}

void hub_keyfile_close(struct hub_keyfile *k)
{
    /* sodium_free makes the memory writable, wipes it and gives it back; NULL is allowed. */
    sodium_free((void *)(uintptr_t)k->secrets);
    k->secrets = NULL;
}
