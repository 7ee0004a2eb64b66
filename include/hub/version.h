/* version.h: the release, in one place. */
#ifndef HUB_VERSION_H
#define HUB_VERSION_H

#define HUB_VERSION "0.1.0"

#endif
