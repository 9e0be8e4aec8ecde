/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library to preload into a command and all it starts: at one of the calls that give a file a
 * name or take it away, it ends or hinders the command. The environment says how:
 *
 *   INTERRUPT        kill: when the call has succeeded, SIGKILL to the whole process group;
 *                    fail: instead of the call, EIO; without it, nothing
 *   INTERRUPT_AT     which of the calls, from 1; 0 for none
 *   INTERRUPT_PATH   only calls with this text in a name are counted
 *   INTERRUPT_LOG    a file, to which each call that is counted adds a line of LINE_BYTES; for
 *                    "kill", calls that failed are not counted, since they changed nothing
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_BYTES 256

static bool is_setting(const char *name, const char *value)
{
    const char *set = getenv(name);

    return set && strcmp(set, value) == 0;
}

/* Counts the call, in all processes together; true if it is the one. */
static bool count(const char *call, const char *from, const char *to)
{
    const char *path = getenv("INTERRUPT_PATH");
    const char *log = getenv("INTERRUPT_LOG");
    const char *at = getenv("INTERRUPT_AT");
    char line[LINE_BYTES + 1];
    struct stat status;
    bool counted;
    int fd;

    if (path && !strstr(from, path) && !strstr(to, path))
        return false;
    snprintf(line, sizeof(line), "%-6s %s %s", call, from, to);
    memset(line + strlen(line), ' ', LINE_BYTES - strlen(line));
    line[LINE_BYTES - 1] = '\n';

    fd = log ? open(log, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    counted = fd >= 0 && write(fd, line, LINE_BYTES) == LINE_BYTES && fstat(fd, &status) == 0;
    if (!counted) {
        perror("INTERRUPT_LOG");
        abort();
    }
    close(fd);
    return at && status.st_size / LINE_BYTES == atoi(at);
}

static bool hindered(const char *call, const char *from, const char *to)
{
    if (!is_setting("INTERRUPT", "fail") || !count(call, from, to))
        return false;
    errno = EIO;
    return true;
}

static int done(long result, const char *call, const char *from, const char *to)
{
    if (result == 0 && is_setting("INTERRUPT", "kill") && count(call, from, to))
        kill(0, SIGKILL);
    return (int)result;
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    if (hindered("rename", from, to))
        return -1;
    return done(syscall(SYS_renameat2, from_fd, from, to_fd, to, flags), "rename", from, to);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return renameat2(from_fd, from, to_fd, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    if (hindered("link", from, to))
        return -1;
    return done(syscall(SYS_linkat, from_fd, from, to_fd, to, flags), "link", from, to);
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int fd, const char *name)
{
    if (hindered("symlink", target, name))
        return -1;
    return done(syscall(SYS_symlinkat, target, fd, name), "symlink", target, name);
}

int symlink(const char *target, const char *name)
{
    return symlinkat(target, AT_FDCWD, name);
}

int unlinkat(int fd, const char *name, int flags)
{
    if (hindered("unlink", name, ""))
        return -1;
    return done(syscall(SYS_unlinkat, fd, name, flags), "unlink", name, "");
}

int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}
