/* founding_sheet.c: what a draft or an invite says, for people to check before they sign or join. */
#include "tools/network.h"

#include <string.h>

void hub_format_fingerprint(char text[128], const struct hub_hash *chain)
{
    char hex[65];
    hub_format_hex(hex, chain->b, 32);
    for (unsigned i = 0; i < 16; i++)
        snprintf(text + 5 * i, 128 - 5 * i, "%.4s%s", hex + 4 * i, i < 15 ? " " : "");
}

static void say_members(const struct hub_cli *cli, const struct hub_genesis *g)
{
    struct hub_cbor c = hub_cbor_open(g->members);
    for (uint32_t n = hub_cbor_array(&c, 0, UINT32_MAX); n > 0; n--) {
        const struct hub_span m = hub_cbor_item(&c), names = hub_field_item(m, "names");
        const struct hub_span code = hub_field_span(m, "code"), kind = hub_field_span(m, "kind");
        struct hub_span name = hub_field_span(names, cli->zh ? "zh" : "en");
        if (!name.len)
            name = hub_field_span(names, "zh");
        hub_cli_say(cli, HUB_T(cli, "member     %.*s  %.*s  %.*s", "成员单位   %.*s  %.*s  %.*s"),
                    (int)code.len, (const char *)code.data, (int)kind.len, (const char *)kind.data,
                    (int)name.len, (const char *)name.data);
    }
}

static void say_validators(const struct hub_cli *cli, const struct hub_genesis *g)
{
    const struct hub_validators *v = &g->set;
    for (unsigned i = 0; i < v->n; i++)
        hub_cli_say(cli, HUB_T(cli, "validator  %u %s", "共识节点   %u %s"), i, v->v[i].member);
    hub_cli_say(cli,
                HUB_T(cli,
                      "quorum     %u of %u (%s): no fork while at most %d validators lie; goes on "
                      "while at most %d are down",
                      "法定票数   %u / %u（%s）：至多 %d 个共识节点作恶时不会分叉；至多 %d "
                      "个停机时仍可运行"),
                v->q, v->n, hub_fault_model_names[v->fault_model], 2 * v->q - v->n - 1,
                v->n - v->q);
}

static void say_parameters(const struct hub_cli *cli, const struct hub_genesis *g)
{
    struct hub_cbor c = hub_cbor_open(g->parameters);
    for (uint32_t n = hub_cbor_map(&c, 0, UINT32_MAX); n > 0; n--) {
        const struct hub_span name = hub_cbor_text(&c, 0, SIZE_MAX);
        hub_cli_say(cli, HUB_T(cli, "parameter  %.*s = %llu", "参数       %.*s = %llu"),
                    (int)name.len, (const char *)name.data,
                    (unsigned long long)hub_cbor_uint(&c, 0, UINT64_MAX));
    }
}

uint32_t hub_founding_unsigned(char text[1024], const struct hub_founding *f)
{
    struct hub_span code[HUB_CARDS_MAX];
    const uint32_t n = hub_genesis_unsigned(&f->genesis, f->signatures, code, HUB_CARDS_MAX);
    size_t len = 0;
    *text = 0;
    for (uint32_t i = 0; i < n && i < HUB_CARDS_MAX && len < 1000; i++)
        len += (size_t)snprintf(text + len, 1024 - len, "%s%.*s", i ? ", " : "", (int)code[i].len,
                                (const char *)code[i].data);
    return n;
}

void hub_founding_say(const struct hub_cli *cli, const struct hub_founding *f)
{
    const struct hub_genesis *g = &f->genesis;
    char print[128], time[64], missing[1024];
    hub_format_fingerprint(print, &g->chain);
    hub_format_time(time, g->time_ms, cli->zh);
    hub_cli_say(cli, HUB_T(cli, "network    %.*s\nmade       %s", "网络名称   %.*s\n生成时间   %s"),
                (int)g->name.len, (const char *)g->name.data, time);
    say_members(cli, g);
    say_validators(cli, g);
    say_parameters(cli, g);
    struct hub_cbor c = hub_cbor_open(f->endpoints);
    for (uint32_t n = hub_cbor_map(&c, 0, HUB_CARDS_MAX); n > 0; n--) {
        const struct hub_span code = hub_cbor_text(&c, 0, SIZE_MAX),
                              at = hub_cbor_text(&c, 0, SIZE_MAX);
        hub_cli_say(cli, HUB_T(cli, "endpoint   %.*s %.*s", "节点地址   %.*s %.*s"), (int)code.len,
                    (const char *)code.data, (int)at.len, (const char *)at.data);
    }
    if (hub_founding_unsigned(missing, f))
        hub_cli_say(cli, HUB_T(cli, "unsigned   %s", "尚未签署   %s"), missing);
    else
        hub_cli_say(cli, "%s",
                    HUB_T(cli, "signed     by a governor of every voting member",
                          "签署情况   各表决成员单位的治理密钥均已签署"));
    hub_cli_say(cli, HUB_T(cli, "chain      %s", "链标识     %s"), print);
}
