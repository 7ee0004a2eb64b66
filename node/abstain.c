#include "node/abstain.h"

#define RESUME_EN                                                                                  \
    " The safe way is a new validator key by governance. Or, if no other node runs with this "     \
    "key, "                                                                                        \
    "start once with --resume-after-loss: the node votes again when the chain has passed every "   \
    "vote its peers know of; where all validators are needed for a quorum, only the new key "      \
    "helps."
#define RESUME_ZH                                                                                                                                \
    "稳妥办法：经治理程序更换共识密钥。若确认没有其他节点使用本密钥，可用 --resume-after-loss "                \
    "启动一次：链越过各节点所知的全部旧票后，本节点恢复投票；若法定数为全体共识节点，则只能更换密" \
    "钥。"

static const struct hub_abstain_text texts[HUB_ABSTAIN_REASONS] = {
    [HUB_ABSTAIN_NOT] = {"votes", "This node votes.", "本节点参与投票。"},
    [HUB_ABSTAIN_ASKING] =
        {"asking",
         "This node asks its peers which votes of its key they hold, and votes once quorum - 1 of "
         "them have answered. If it stays so: start those nodes or mend the links to them.",
         "本节点正在询问其他节点持有本密钥的哪些票；收到（法定数 - "
         "1）个答复后开始投票。若持续如此："
         "请启动其他节点或修复网络。"},
    [HUB_ABSTAIN_OBSERVER] = {"observer",
                              "This node's key is no validator's: it follows and serves.",
                              "本节点的密钥不是共识密钥：仅同步并提供查询。"},
    [HUB_ABSTAIN_ANCHOR] =
        {"anchor",
         "The chain does not reach the anchor yet: this node catches up and votes once its chain "
         "contains it. If it stays so: this disk and its peers are older than the anchor.",
         "本节点的链尚未到达锚点：同步至包含锚点后开始投票。若持续如此：本机磁盘与各节点均旧于锚点"
         "。"},
    [HUB_ABSTAIN_RESUMING] =
        {"resuming",
         "Votes were lost. This node follows until a block is final 16 views beyond the last vote "
         "of its key that quorum - 1 peers know of, then votes again. Leave it running.",
         "旧票已丢失。本节点仅同步，待最终确认的视图超过（法定数 - 1）个节点所知的最后一票 16 "
         "个视图后恢复投票。请保持运行。"},
    [HUB_ABSTAIN_GUARD_MISSING] =
        {"guard_missing",
         "The guard file of this node's key is missing or cannot be read, so votes may have been "
         "lost: this node follows and does not vote. If the file is elsewhere, name it with "
         "`guard` in the configuration." RESUME_EN,
         "本节点密钥的守护文件缺失或无法读取，可能有票丢失：仅同步，不投票。若文件在别处，请在配置"
         "中以 "
         "guard 指明。" RESUME_ZH},
    [HUB_ABSTAIN_GUARD_AHEAD] =
        {"guard_ahead",
         "The guard file remembers votes that the data directory lacks: the directory was lost, "
         "rolled back or exchanged. This node follows and does not vote. If the right directory "
         "is at hand, stop the node and put it back." RESUME_EN,
         "守护文件记有数据目录中没有的票：目录已丢失、被回退或被调换。本节点仅同步，不投票。若正确"
         "的目录"
         "仍在，请停止节点并放回。" RESUME_ZH},
    [HUB_ABSTAIN_VOTE_UNKNOWN] =
        {"vote_unknown",
         "A peer holds a vote of this node's key that this node did not cast: its disk is old, or "
         "a second node runs with this key. It follows and does not vote. Find and stop a second "
         "node first." RESUME_EN,
         "其他节点持有本密钥的一票，而本节点并未投出：磁盘陈旧，或另有节点使用同一密钥。仅同步，不"
         "投票。"
         "请先查找并停止第二个节点。" RESUME_ZH},
    [HUB_ABSTAIN_RESTORED] =
        {"restored",
         "This data directory was restored from a backup, which holds no votes: this node follows "
         "and does not vote." RESUME_EN,
         "本数据目录由备份恢复，备份不含投票记录：仅同步，不投票。" RESUME_ZH},
    [HUB_ABSTAIN_DIVERGENCE] =
        {"divergence",
         "A certified block breaks a rule on this machine: this node does not vote. Keep its "
         "directory and log, compare versions and state roots with the other nodes, run "
         "hubledger-verify; when the cause is mended, start once with --acknowledge-halt.",
         "一个已获证书的区块在本机违反规则：本节点停止投票。请保留目录与日志，与其他节点核对版本和"
         "状态根，"
         "运行 hubledger-verify；排除原因后用 --acknowledge-halt 启动一次。"},
    [HUB_ABSTAIN_BREAKER] =
        {"breaker",
         "A validator signed two votes that exclude each other, and this network's fault model "
         "(crash-1of3) allows none: voting stopped. Compare the final blocks of all nodes, remove "
         "the guilty validator, then start once with --acknowledge-halt.",
         "有共识节点签署了两张互斥的票，而本网络的容错模型（crash-"
         "1of3）不容许：已停止投票。请核对各节点"
         "的最终区块，移除责任节点，然后用 --acknowledge-halt 启动一次。"},
    [HUB_ABSTAIN_FORK] =
        {"fork",
         "Two certificates of one view exclude each other: more validators lied than this ledger "
         "is safe with, and it may have forked. This node does not vote. Keep its directory, "
         "compare the final blocks of all nodes, settle with the members who is right and who is "
         "removed, then start once with --acknowledge-halt.",
         "同一视图出现两个互斥的证书：作恶的共识节点超过本账本可承受的数目，账本可能已分叉。本节点"
         "停止投票。"
         "请保留目录，核对各节点的最终区块，由各成员商定何者为准、移除何者，然后用 "
         "--acknowledge-halt "
         "启动一次。"},
    [HUB_ABSTAIN_RECOVERY] =
        {"recovery",
         "This node signed a recovery of this epoch, or was given one: it never votes in this "
         "epoch "
         "again. Start every node of the new set once with --recovery FILE; they go on when a "
         "quorum of them is up and the base block has come.",
         "本节点已签署或已收到本届的恢复记录：不再参加本届任何表决。请用 --recovery 文件 "
         "将新一届的每个节点各启动一次；达到新的法定数并取得基准区块后即继续运行。"},
    [HUB_ABSTAIN_LEFT] =
        {"left",
         "This node's chain stands in an epoch that its key has left before (its "
         "disk is damaged, or older): it catches up, and votes again in the epoch "
         "in which it voted last. Leave it running.",
         "本节点的链处于其密钥早已离开的届次（磁盘受损或较旧）：正在同步，到达其最后"
         "投票的届次后恢复投票。请保持运行。"},
};

const struct hub_abstain_text *hub_abstain_text(enum hub_abstain why)
{
    HUB_ASSERT(why < HUB_ABSTAIN_REASONS && texts[why].name);
    return &texts[why];
}
