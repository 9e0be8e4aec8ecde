#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scripts/pre-push, as git calls it, in a small repository with rules, a configure and a check of its
# own.

# shellcheck disable=SC1091,SC2317  # the cases are called by run_cases

set -eu

. "$SRC/tests/configure/lib.sh"

command -v git >/dev/null || {
    echo "git is not installed: scripts/install-deps check"
    exit 77
}

# Whoever runs this may do so from a hook, and has a name and ways of their own.
for variable in $(git rev-parse --local-env-vars); do
    unset "$variable"
done
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org

# file NAME LINE...: a file of ./tree, with a licence.
file()
{
    mkdir -p "tree/$(dirname "$1")"
    name=tree/$1
    shift
    {
        echo '/* SPDX-License-Identifier: GPL-2.0-or-later */'
        printf '%s\n' "$@"
    } >"$name"
}

commit()
{
    git -C tree add -A
    git -C tree commit -q -m "tree: $*"
}

# ./tree, pushed to ./theirs, then with the hook. Its program is qemu/main.c, its check the file verdict.
make_repository()
{
    git init -q --bare theirs
    git init -q -b main tree
    git -C tree remote add origin ../theirs
    mkdir tree/scripts
    cp "$SRC/scripts/pre-push" "$SRC/scripts/check-source" tree/scripts
    cp "$SRC/.clang-format" tree
    echo /build/ >tree/.gitignore
    file qemu/main.c 'int main(void)' '{' '    return 0;' '}'
    cat >tree/configure <<'END'
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
for option; do
    case $option in
    --cflags=*) flags=${option#*=} ;;
    esac
done
printf 'all:\n\tcc -Wall %s -c -o main.o ../qemu/main.c\ncheck: all\n\tcat ../verdict\n' "$flags" >Makefile
END
    chmod +x tree/configure
    echo passed >tree/verdict
    commit first
    git -C tree push -q origin main
    ln -s ../../scripts/pre-push tree/.git/hooks/pre-push
}

# pushes [ARGUMENT...]: git does, with what it said in ./said.
pushes()
{
    git -C tree push origin "${@:-main}" >said 2>&1 || {
        cat said
        return 1
    }
    [ "$(git -C tree worktree list | wc -l)" = 1 ]
}

# kept PART TEXT: it does not, for this part, with this text.
kept()
{
    before=$(git -C theirs rev-parse main)
    fails git -C tree push origin main >said 2>&1
    expect said "pre-push: $1"
    grep "^pre-push: $1 *FAILED" said
    expect said "$2"
    expect tree/.git/pre-push.log "$2"
    expect said 'pre-push: nothing was pushed'
    [ "$(git -C theirs rev-parse main)" = "$before" ]
    [ "$(git -C tree worktree list | wc -l)" = 1 ]
}

what_is_good_is_pushed()
{
    make_repository
    file qemu/base/a.c '#include "base/a.h"' 'int a;'
    commit good
    pushes
    for part in source format shell build check; do
        grep "^pre-push: $part  *\(ok\|not looked at\)" said
    done
    [ "$(git -C theirs rev-parse main)" = "$(git -C tree rev-parse main)" ]
}

a_foreign_include()
{
    make_repository
    file qemu/hw/a.c '#include <stdio.h>'
    commit bad
    kept source 'qemu/hw/a.c:2: hw/ may include'
}

a_file_that_is_badly_formatted()
{
    command -v clang-format || return 0
    make_repository
    file qemu/base/a.c 'int   a ;'
    commit bad
    kept format 'qemu/base/a.c:2'
    expect_not said 'pre-push: build'
    # Who finds it so, and changes another file, is not asked to mend it.
    git -C tree push -q --no-verify origin main
    file qemu/base/b.c 'int b;'
    commit good
    pushes
}

a_script_that_is_wrong()
{
    command -v shellcheck || return 0
    make_repository
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-or-later\necho `ls $undefined`\n' \
        >tree/scripts/tool
    commit bad
    kept shell 'SC2154'
}

a_warning()
{
    make_repository
    file qemu/main.c 'int main(void)' '{' '    int unused;' '    return 0;' '}'
    commit bad
    kept build 'unused variable'
    expect_not said 'pre-push: check'
}

a_test_that_fails()
{
    make_repository
    git -C tree rm -q verdict
    commit bad
    kept check 'verdict: No such file'
}

only_what_is_pushed_counts()
{
    make_repository
    git -C tree rm -q verdict
    commit bad
    echo passed >tree/verdict # not in the commit
    kept check 'verdict: No such file'
    commit good
    file qemu/hw/a.c '#include <stdio.h>'
    rm tree/verdict
    pushes
}

another_branch_and_none()
{
    make_repository
    git -C tree checkout -q -b other
    file qemu/hw/a.c '#include <stdio.h>'
    commit bad
    fails git -C tree push origin main other >said 2>&1
    expect said 'qemu/hw/a.c:2: hw/ may include'
    pushes --no-verify other
    pushes --delete other
    expect_not said pre-push
}

its_help()
{
    "$SRC/scripts/pre-push" --help >said
    expect said 'ln -s ../../scripts/pre-push .git/hooks/pre-push'
}

run_cases what_is_good_is_pushed a_foreign_include a_file_that_is_badly_formatted \
    a_script_that_is_wrong a_warning a_test_that_fails only_what_is_pushed_counts \
    another_branch_and_none its_help
