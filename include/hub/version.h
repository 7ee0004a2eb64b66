/* version.h: the release, in one place. */
#ifndef HUB_VERSION_H
#define HUB_VERSION_H

#define HUB_VERSION "0.1.0"
/* The latest protocol version this program speaks (header.version; docs/governance.md `version`). */
#define HUB_PROTOCOL_VERSION 1

#endif
