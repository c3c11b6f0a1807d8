/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much memory each user has pinned through udmabuf. For udmabuf.c.
 */
#ifndef _UDMABUF_ACCOUNT_H
#define _UDMABUF_ACCOUNT_H

struct udmabuf_account;

struct udmabuf_account *udmabuf_account_get(void);
int udmabuf_account_charge(struct udmabuf_account *account,
			   unsigned long nr_pages, unsigned long limit);
void udmabuf_account_put(struct udmabuf_account *account, unsigned long charged);

#endif /* _UDMABUF_ACCOUNT_H */
