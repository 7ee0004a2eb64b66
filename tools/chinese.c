/* chinese.c: what the layers below the commands say of a file, in English there, in Chinese. */
#include "tools/cli.h"

#include <string.h>

static const struct {
    const char *en, *zh;
} sentences[] = {
    /* crypto/keyfile.c */
    {"Argon2id needs 256 MiB of memory to protect the key", "Argon2id 保护密钥需要 256 MiB 内存"},
    {"a key file is a regular file", "密钥文件须为普通文件"},
    {"a label has 1 to 64 bytes and no control characters: choose another",
     "标签须为 1 至 64 字节且不含控制字符：请另选"},
    {"a passphrase protects the key: give --passphrase-file FILE",
     "密钥受口令保护：请给出 --passphrase-file 文件"},
    {"a secret must be closed to all but its owner: chmod 600 the file",
     "私密文件只能由所有者读取：请对其执行 chmod 600"},
    {"no memory for secrets", "无法为私密数据取得内存"},
    {"the file cannot be created here", "无法在此创建该文件"},
    {"the file cannot be opened: run as the user who owns it",
     "无法打开该文件：请以其所有者身份运行"},
    {"the file could not be written to disk: is it full?", "无法写入磁盘：是否已满？"},
    {"the file exists, and keys are never overwritten", "文件已存在，密钥文件不会被覆盖"},
    {"the key file is damaged: restore it from a copy", "密钥文件已损坏：请用副本恢复"},
    {"the passphrase does not open it, or the key file was changed",
     "口令不正确，或密钥文件已被改动"},
    {"the passphrase file must hold one line of 1 to 1024 bytes",
     "口令文件须为一行，1 至 1024 字节"},
    {"the secret key is not that of the public one: restore the file from a copy",
     "私钥与公钥不符：请用副本恢复该文件"},
    {"there is no such file", "没有该文件"},
    {"this is no key file of format 1", "不是格式 1 的密钥文件"},
    {"the passphrase file does not exist", "口令文件不存在"},
    {"the passphrase file must be closed to all but its owner: chmod 600 it",
     "口令文件只能由所有者读取：请对其执行 chmod 600"},
};

const char *hub_cli_why(const struct hub_cli *cli, const char *why)
{
    for (size_t i = 0; cli->zh && i < sizeof sentences / sizeof sentences[0]; i++)
        if (!strcmp(sentences[i].en, why))
            return sentences[i].zh;
    return why;
}
