/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card/control.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

int control_send(int fd, enum control_kind kind, uint32_t number, const void *bytes, size_t size)
{
    struct control_head head = {.kind = kind, .number = number};
    struct iovec parts[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)bytes, size}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (size > CONTROL_MAX_BYTES) {
        return EMSGSIZE;
    }
    /* A message goes as a whole or not at all. */
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

ssize_t control_receive(int fd, struct control_head *head, uint8_t bytes[CONTROL_MAX_BYTES])
{
    struct iovec parts[] = {{head, sizeof(*head)}, {bytes, CONTROL_MAX_BYTES}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

    if (n < 0) {
        return errno == ECONNRESET ? -EPIPE : -errno;
    }
    if (n == 0) {
        return -EPIPE;
    }
    if (n < (ssize_t)sizeof(*head) || message.msg_flags & MSG_TRUNC) {
        return -EMSGSIZE;
    }
    return n - (ssize_t)sizeof(*head);
}
