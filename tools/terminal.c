/* terminal.c: what a person sees and answers, and the files commands read and write. */
#include "tools/cli.h"

#include "node/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void hub_cli_say(const struct hub_cli *cli, const char *format, ...)
{
    va_list args;
    if (cli->quiet || cli->json)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

int hub_cli_fail(const struct hub_cli *cli, int exit_code, const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "hubledger: %s", cli->color ? "\033[31m" : "");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "%s\n", cli->color ? "\033[0m" : "");
    return exit_code;
}

void hub_cli_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    putchar('\n');
}

static bool read_line(char *out, size_t cap)
{
    if (!fgets(out, (int)cap, stdin))
        return false;
    out[strcspn(out, "\r\n")] = 0;
    return true;
}

bool hub_cli_confirm(const struct hub_cli *cli, const char *prompt, const char *phrase)
{
    char line[256];
    if (cli->confirm) {
        if (!strcmp(cli->confirm, phrase))
            return true;
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "--confirm does not match; the phrase is: %s",
                           "--confirm 与确认语不符；确认语为：%s"),
                     phrase);
        return false;
    }
    if (!isatty(STDIN_FILENO)) {
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "this needs a typed confirmation; in a script pass --confirm '%s'",
                           "此操作须输入确认语；脚本中请使用 --confirm '%s'"),
                     phrase);
        return false;
    }
    fprintf(stderr,
            HUB_T(cli, "%s\nType this to go on: %s\n> ", "%s\n请输入以下文字以继续：%s\n> "),
            prompt, phrase);
    return read_line(line, sizeof line) && !strcmp(line, phrase);
}

bool hub_cli_ask(const struct hub_cli *cli, const char *question)
{
    char line[16];
    if (cli->yes || !isatty(STDIN_FILENO))
        return cli->yes;
    fprintf(stderr, "%s [y/N] ", question);
    return read_line(line, sizeof line) &&
           (!strcmp(line, "y") || !strcmp(line, "Y") || !strcmp(line, "是"));
}

static void file_failed(const struct hub_cli *cli, const char *en, const char *zh, const char *path)
{
    hub_cli_fail(cli, 0, "%s %s: %s", cli->zh ? zh : en, path, strerror(errno));
}

static FILE *open_file(const struct hub_cli *cli, const char *path) /* "-" = standard input */
{
    FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    if (!f)
        file_failed(cli, "cannot open", "无法打开文件", path);
    return f;
}

bool hub_cli_read_file(const struct hub_cli *cli, struct hub_buf *out, const char *path, size_t max)
{
    FILE *f = open_file(cli, path);
    if (!f)
        return false;
    struct hub_buf b = {.cap = max + 1};
    b.data = malloc(b.cap); /* touched as read: max is a bound, not a size */
    if (b.data)
        b.len = fread(b.data, 1, b.cap, f);
    const bool ok = b.data && !ferror(f) && b.len <= max;
    if (b.data && !ferror(f) && b.len > max)
        hub_cli_fail(
            cli, 0,
            HUB_T(cli, "%s: larger than the %zu bytes allowed here", "%s：超过此处允许的 %zu 字节"),
            path, max);
    else if (!ok)
        file_failed(cli, "cannot read", "无法读取文件", path);
    if (f != stdin)
        fclose(f);
    if (!ok) {
        free(b.data);
        return false;
    }
    *out = b;
    return true;
}

bool hub_cli_hash_file(const struct hub_cli *cli, struct hub_hash *out, const char *path)
{
    uint8_t piece[1 << 16];
    struct hub_hasher h;
    size_t len;
    FILE *f = open_file(cli, path);
    if (!f)
        return false;
    hub_hash_init(&h);
    while ((len = fread(piece, 1, sizeof piece, f)) > 0)
        hub_hash_add(&h, piece, len);
    const bool ok = !ferror(f);
    if (!ok)
        file_failed(cli, "cannot read", "无法读取文件", path);
    if (f != stdin)
        fclose(f);
    hub_hash_final(&h, out);
    return ok;
}

static bool write_new(const struct hub_cli *cli, const char *path, int fd, struct hub_span bytes)
{
    size_t done = 0;
    if (fd < 0) {
        if (errno == EEXIST)
            hub_cli_fail(cli, 0,
                         HUB_T(cli,
                               "%s exists; it is not replaced: name another file or move it away",
                               "%s 已存在，不会覆盖；请另取文件名或先移走"),
                         path);
        else
            file_failed(cli, "cannot create", "无法创建文件", path);
        return false;
    }
    while (done < bytes.len) {
        const ssize_t n = write(fd, bytes.data + done, bytes.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    const bool ok = done == bytes.len && fsync(fd) == 0;
    if (!ok)
        file_failed(cli, "cannot write", "无法写入文件", path);
    close(fd);
    return ok;
}

/* What could not be written whole goes: the next command must not take it for the file. */
static bool create_file(const struct hub_cli *cli, const char *path, mode_t mode,
                        struct hub_span bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_EXCL, mode);
    const bool ok = write_new(cli, path, fd, bytes);
    if (!ok && fd >= 0)
        unlink(path);
    return ok;
}

bool hub_cli_write_secret(const struct hub_cli *cli, const char *path, struct hub_span bytes)
{
    return create_file(cli, path, 0600, bytes);
}

/* Written beside it first: a file of which there may be no copy is there whole at any moment. */
static bool replace_file(const struct hub_cli *cli, const char *path, mode_t mode,
                         struct hub_span bytes)
{
    char beside[HUB_PATH_BYTES_MAX + 8];
    errno = ENAMETOOLONG;
    const int len = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    const int fd = len < (int)sizeof beside ? mkstemp(beside) : -1;
    if (!write_new(cli, path, fd, bytes)) {
        if (fd >= 0)
            unlink(beside);
        return false;
    }
    if (chmod(beside, mode) != 0 || rename(beside, path) != 0) {
        file_failed(cli, "cannot write", "无法写入文件", path);
        unlink(beside);
        return false;
    }
    return true;
}

bool hub_cli_write_file(const struct hub_cli *cli, const char *path, struct hub_span bytes,
                        bool replace)
{
    struct stat st;
    if (!strcmp(path, "-"))
        return fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len && fflush(stdout) == 0;
    if (!replace)
        return create_file(cli, path, 0644, bytes);
    const bool there = lstat(path, &st) == 0;
    if (there && !S_ISREG(st.st_mode)) /* a device, a link: stays what it is */
        return write_new(cli, path, open(path, O_WRONLY | O_CLOEXEC | O_TRUNC), bytes);
    const mode_t mask = umask(0); /* there is no other way to ask for it */
    umask(mask);
    return replace_file(cli, path, there ? st.st_mode & 0777 : 0666 & ~mask, bytes);
}

bool hub_cli_genesis(struct hub_cli *cli)
{
    const char *why = "";
    if (cli->genesis)
        return true;
    if (!cli->genesis_path) {
        hub_cli_fail(
            cli, 0,
            HUB_T(cli,
                  "this needs the genesis file, the root of trust: --genesis FILE (or "
                  "HUBLEDGER_GENESIS)",
                  "此操作需要创世文件（信任根）：--genesis 文件（或环境变量 HUBLEDGER_GENESIS）"));
        return false;
    }
    if (!hub_cli_read_file(cli, &cli->genesis_bytes, cli->genesis_path, HUB_GENESIS_BYTES_MAX))
        return false;
    struct hub_genesis *g = calloc(1, sizeof *g);
    if (!g || hub_genesis_decode(g, &why, hub_span_of(&cli->genesis_bytes)) != HUB_OK) {
        hub_cli_fail(cli, 0,
                     HUB_T(cli, "%s is no valid genesis file: %s", "%s 不是有效的创世文件：%s"),
                     cli->genesis_path, hub_cli_why(cli, why));
        free(g);
        return false;
    }
    g->accepted = (struct hub_accepted){cli->accepted, cli->accepts, false};
    cli->genesis = g;
    return true;
}
