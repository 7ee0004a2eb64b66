/* Expected keys: computed with python (hashlib.blake2b with salt = 1 and person = "hubcurve" for
 * crypto_kdf, the ladder of RFC 7748 for the public transport key) from the seed of RFC 8032 TEST 1. */
#include "hub/keyfile.h"

#include "tests/support/hex.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/hub-keyfile-XXXXXX";
static char key_path[64], pass_path[64];
static const char *why;

static const char known_file[] =
    "hubledger key file, format 1\n"
    "label: 长宁 operator\n"
    "kid: 866eefbd6718c8846cd7ddfe43fc74ab1daac4538ff8514ea2ec2d410a415743\n"
    "key: d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n"
    "transport: c4e8b94b79a389fe6ed17bd97aeed4af1f7250abac5dd1aa369f04bfc6b36a08\n"
    "protection: UNPROTECTED (trial networks only)\n"
    "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";

static void setup(void)
{
    cr_assert_eq(hub_crypto_self_test(), HUB_OK);
    cr_assert_not_null(mkdtemp(directory));
    snprintf(key_path, sizeof key_path, "%s/governor.key", directory);
    snprintf(pass_path, sizeof pass_path, "%s/passphrase", directory);
    why = NULL;
}

static void teardown(void)
{
    unlink(key_path);
    unlink(pass_path);
    cr_assert_eq(rmdir(directory), 0, "nothing else is left behind");
}

TestSuite(keyfile, .init = setup, .fini = teardown);

static void write_file(const char *path, const char *text, size_t len, mode_t mode)
{
    int fd;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, len), (ssize_t)len);
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    write_file(path, text, strlen(text), mode);
}

static size_t read_file(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "r");
    size_t n;

    cr_assert_not_null(f);
    n = fread(out, 1, cap - 1, f);
    out[n] = '\0';
    fclose(f);
    return n;
}

/* The written text opens with this status. */
static void expect_open(const char *text, const char *passphrase_file, enum hub_status want)
{
    struct hub_keyfile k = {.secrets = NULL};

    write_text(key_path, text, 0600);
    why = NULL;
    cr_assert_eq(hub_keyfile_open(&k, key_path, passphrase_file, &why), want, "%s", text);
    cr_assert_eq(why == NULL, want == HUB_OK, "every failure says why");
    hub_keyfile_close(&k);
}

/* known_file with one piece replaced. */
static const char *with(const char *old, const char *new)
{
    static char text[4096];
    const char *at = strstr(known_file, old);

    cr_assert_not_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - known_file), known_file, new,
             at + strlen(old));
    return text;
}

Test(keyfile, derives_both_keys_from_the_seed)
{
    struct hub_keyfile k;
    struct hub_hash transport_secret =
        test_hash("19dcacc2843e16e5d481504a790bfd9eed946ea2e123de2a8638b3e12eb63c92");
    struct hub_span seed =
        test_bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");

    write_text(key_path, known_file, 0600);
    cr_assert_eq(hub_keyfile_open(&k, key_path, NULL, &why), HUB_OK);
    cr_assert_str_eq(k.label, "长宁 operator");
    cr_assert(k.unprotected);
    cr_assert_eq(memcmp(k.secrets->sign, seed.data, 32), 0);
    cr_assert_eq(memcmp(k.secrets->sign + 32, k.key.b, 32), 0);
    cr_assert_eq(memcmp(k.secrets->transport, transport_secret.b, 32), 0);
    hub_keyfile_close(&k);
    cr_assert_null(k.secrets);
    hub_keyfile_close(&k);
}

Test(keyfile, shows_the_public_part_without_secrets)
{
    struct hub_keyfile k;
    struct hub_hash transport =
        test_hash("c4e8b94b79a389fe6ed17bd97aeed4af1f7250abac5dd1aa369f04bfc6b36a08");
    struct hub_hash kid;

    write_text(key_path, known_file, 0600);
    cr_assert_eq(hub_keyfile_show(&k, key_path, &why), HUB_OK);
    cr_assert_null(k.secrets);
    hub_kid_of(&kid, &k.key);
    cr_assert(hub_hash_equal(&kid, &k.kid));
    cr_assert_eq(memcmp(k.transport, transport.b, 32), 0);
}

Test(keyfile, unprotected_key_is_created_closed_and_marked)
{
    struct hub_keyfile shown, opened;
    struct hub_signature sig;
    struct stat st;
    char text[2048];

    umask(0);
    cr_assert_eq(hub_keyfile_create_unprotected(key_path, "嘉定 seal", &why), HUB_OK);
    cr_assert_eq(stat(key_path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
    read_file(key_path, text, sizeof text);
    cr_assert_not_null(strstr(text, "\nprotection: UNPROTECTED"));
    cr_assert_eq(hub_keyfile_show(&shown, key_path, &why), HUB_OK);
    cr_assert_eq(hub_keyfile_open(&opened, key_path, NULL, &why), HUB_OK);
    cr_assert(opened.unprotected && shown.unprotected);
    cr_assert_eq(memcmp(shown.key.b, opened.key.b, 32), 0);
    hub_sign(&sig, opened.secrets->sign, test_text("x"));
    cr_assert(hub_verify(&sig, test_text("x"), &shown.key));
    hub_keyfile_close(&opened);
}

Test(keyfile, two_keys_are_never_the_same)
{
    struct hub_keyfile a, b;

    cr_assert_eq(hub_keyfile_create_unprotected(key_path, "a", &why), HUB_OK);
    cr_assert_eq(hub_keyfile_show(&a, key_path, &why), HUB_OK);
    unlink(key_path);
    cr_assert_eq(hub_keyfile_create_unprotected(key_path, "a", &why), HUB_OK);
    cr_assert_eq(hub_keyfile_show(&b, key_path, &why), HUB_OK);
    cr_assert_neq(memcmp(a.key.b, b.key.b, 32), 0);
}

Test(keyfile, never_overwrites)
{
    char before[2048], after[2048];

    write_text(key_path, known_file, 0600);
    read_file(key_path, before, sizeof before);
    cr_assert_eq(hub_keyfile_create_unprotected(key_path, "again", &why), HUB_CONFLICT);
    cr_assert_not_null(why);
    read_file(key_path, after, sizeof after);
    cr_assert_str_eq(before, after);
}

Test(keyfile, passphrase_protects_secret_and_header)
{
    struct hub_keyfile k = {.secrets = NULL}, shown;
    char text[2048], *at;
    uint8_t seed[32];
    char seed_text[64];

    write_text(pass_path, "correct horse 电池 staple\nsecond line\n", 0600);
    cr_assert_eq(hub_keyfile_create(key_path, "Xiangcheng governor", pass_path, &why), HUB_OK);
    read_file(key_path, text, sizeof text);
    cr_assert_not_null(strstr(text, "\nprotection: passphrase\n"));
    cr_assert_eq(hub_keyfile_show(&shown, key_path, &why), HUB_OK);
    cr_assert_not(shown.unprotected);

    cr_assert_eq(hub_keyfile_open(&k, key_path, NULL, &why), HUB_BAD_KEY_FILE);
    cr_assert_not_null(strstr(why, "--passphrase-file"));
    write_text(pass_path, "correct horse 电池 staple", 0400);
    cr_assert_eq(hub_keyfile_open(&k, key_path, pass_path, &why), HUB_OK, "one line is one line");
    cr_assert_eq(memcmp(k.secrets->sign + 32, shown.key.b, 32), 0);
    memcpy(seed, k.secrets->sign, 32);
    sodium_bin2base64(seed_text, sizeof seed_text, seed, 32, sodium_base64_VARIANT_ORIGINAL);
    seed_text[40] = '\0';
    cr_assert_null(strstr(text, seed_text), "the seed is not in the file");
    hub_keyfile_close(&k);

    write_text(pass_path, "correct horse 电池 stapl", 0600);
    cr_assert_eq(hub_keyfile_open(&k, key_path, pass_path, &why), HUB_BAD_KEY_FILE);
    write_text(pass_path, "correct horse 电池 staple", 0600);
    at = strstr(text, "governor");
    memcpy(at, "operator", 8);
    expect_open(text, pass_path, HUB_BAD_KEY_FILE); /* another label */
    memcpy(at, "governor", 8);
    at = strrchr(text, '\n') - 10;
    *at = *at == 'A' ? 'B' : 'A';
    expect_open(text, pass_path, HUB_BAD_KEY_FILE); /* one letter of the sealed seed */
}

/* A blob whose limits ask for more than the cap must be refused before any memory is taken, so at once. */
Test(keyfile, caps_what_a_file_may_demand, .timeout = 5)
{
    static const uint64_t limits[][2] = {{crypto_pwhash_OPSLIMIT_SENSITIVE + 1, 8192},
                                         {1, crypto_pwhash_MEMLIMIT_SENSITIVE + 1},
                                         {UINT64_MAX, 8192},
                                         {1, UINT64_MAX},
                                         {0, 0}};

    write_text(pass_path, "any", 0600);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        uint8_t blob[104] = {0};
        char line[160], text[1024];

        hub_put_be64(blob + 16, limits[i][0]);
        hub_put_be64(blob + 24, limits[i][1]);
        sodium_bin2base64(line, sizeof line, blob, sizeof blob, sodium_base64_VARIANT_ORIGINAL);
        snprintf(text, sizeof text, "%s",
                 with("UNPROTECTED (trial networks only)\n"
                      "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
                      "passphrase\n"));
        strcpy(text + strlen(text) - 1, line);
        strcat(text, "\n");
        expect_open(text, pass_path, HUB_BAD_KEY_FILE);
    }
}

Test(keyfile, refuses_damaged_files)
{
    static const struct {
        const char *old, *new;
    } damage[] = {
        {"format 1", "format 2"},
        {"hubledger key", "hubledger-key"},
        {"label: 长宁 operator\n", ""},
        {"长宁 operator", ""},
        {"长宁 operator", "a\tb"},
        {"长宁 operator", "0123456789012345678901234567890123456789012345678901234567890123x"},
        {"kid: 86", "kid: 87"},
        {"kid: 866e", "kid: 866E"},
        {"kid: 866e", "kid: 86"},
        {"key: d7", "key: d8"},
        {"transport: c4", "transport: c5"},
        {"only)\n", "only)\n\n"},
        {"UNPROTECTED (trial networks only)", "none"},
        {"UNPROTECTED (trial networks only)", "passphrase"},
        {"nWGx", "oWGx"},
        {"nWGx", "nW-x"},
        {"nWGx", "nWG"},
        {"f2A=", "f2A"},
        {"f2A=", "f2B="},
        {"f2A=\n", "f2A="},
        {"f2A=\n", "f2A=\n\n"},
        {"f2A=\n", "f2A=\nmore"},
        {"f2A=\n", "f2A=\r\n"},
    };

    expect_open(known_file, NULL, HUB_OK);
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++)
        expect_open(with(damage[i].old, damage[i].new), NULL, HUB_BAD_KEY_FILE);
    expect_open("", NULL, HUB_BAD_KEY_FILE);
}

Test(keyfile, refuses_every_truncation_and_zero_bytes)
{
    char text[sizeof known_file];
    struct hub_keyfile k;

    for (size_t n = 0; n < strlen(known_file); n++) {
        snprintf(text, sizeof text, "%.*s", (int)n, known_file);
        expect_open(text, NULL, HUB_BAD_KEY_FILE);
    }
    memcpy(text, known_file, sizeof text);
    write_file(key_path, text, sizeof text, 0600);
    cr_assert_eq(hub_keyfile_open(&k, key_path, NULL, &why), HUB_BAD_KEY_FILE);
}

Test(keyfile, refuses_files_that_others_can_open)
{
    struct hub_keyfile k = {.secrets = NULL};
    static const mode_t open_modes[] = {0640, 0604, 0660, 0610, 0620, 0602, 0601};

    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        write_text(key_path, known_file, open_modes[i]);
        cr_assert_eq(hub_keyfile_open(&k, key_path, NULL, &why), HUB_BAD_KEY_FILE);
        cr_assert_not_null(strstr(why, "chmod"));
        write_text(pass_path, "secret", open_modes[i]);
        unlink(key_path);
        cr_assert_eq(hub_keyfile_create(key_path, "a", pass_path, &why), HUB_BAD_KEY_FILE);
        cr_assert_neq(access(key_path, F_OK), 0, "nothing was created");
    }
    write_text(key_path, known_file, 0400);
    cr_assert_eq(hub_keyfile_open(&k, key_path, NULL, &why), HUB_OK);
    hub_keyfile_close(&k);
}

Test(keyfile, refuses_a_named_pipe_without_waiting_for_a_writer, .timeout = 5)
{
    struct hub_keyfile k = {.secrets = NULL};

    cr_assert_eq(mkfifo(key_path, 0600), 0);
    cr_expect_eq(hub_keyfile_open(&k, key_path, NULL, &why), HUB_BAD_KEY_FILE);
    cr_expect_not_null(strstr(why, "regular file"));
}

Test(keyfile, says_what_is_missing)
{
    struct hub_keyfile k = {.secrets = NULL};
    char name[80];

    cr_assert_eq(hub_keyfile_open(&k, key_path, NULL, &why), HUB_NOT_FOUND);
    cr_assert_eq(hub_keyfile_show(&k, directory, &why), HUB_BAD_KEY_FILE, "a directory");
    cr_assert_eq(hub_keyfile_create(key_path, "a", pass_path, &why), HUB_NOT_FOUND);
    cr_assert_not_null(strstr(why, "passphrase file"));
    write_text(pass_path, "\nsecond", 0600);
    cr_assert_eq(hub_keyfile_create(key_path, "a", pass_path, &why), HUB_BAD_KEY_FILE, "empty");
    snprintf(name, sizeof name, "%s/none/governor.key", directory);
    cr_assert_eq(hub_keyfile_create_unprotected(name, "a", &why), HUB_IO);
    cr_assert_eq(hub_keyfile_create_unprotected(key_path, "", &why), HUB_BAD_KEY_FILE);
    cr_assert_eq(hub_keyfile_create_unprotected(key_path, "a\nkid: 0", &why), HUB_BAD_KEY_FILE);
    cr_assert_neq(access(key_path, F_OK), 0);
}

Test(keyfile, passphrase_has_a_limit)
{
    static char text[HUB_PASSPHRASE_MAX + 2];

    memset(text, 'p', HUB_PASSPHRASE_MAX + 1);
    write_text(pass_path, text, 0600);
    cr_assert_eq(hub_keyfile_create(key_path, "a", pass_path, &why), HUB_BAD_KEY_FILE);
    write_text(pass_path, text + 1, 0600);
    cr_assert_eq(hub_keyfile_create(key_path, "a", pass_path, &why), HUB_OK);
}
