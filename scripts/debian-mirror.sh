# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# This machine's way to Debian's packages, for what installs a release of them in a folder of its
# own: source it.

# debian_sources RELEASE: prints the lines of a sources.list, with the archives that this machine has
# configured; Debian's own only, whatever else there is.
debian_sources() (
    # shellcheck disable=SC2016  # apt's own placeholder
    archives=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' 2>/dev/null | sort -u)
    archives=${archives:-http://deb.debian.org/debian}
    security=http://deb.debian.org/debian-security
    for archive in $archives; do
        case $archive in
        *security*) security=$archive ;;
        *)
            echo "deb $archive $1 main"
            echo "deb $archive $1-updates main"
            ;;
        esac
    done
    echo "deb $security $1-security main"
)

# Prints a piece of apt.conf: proxies, and whether this machine's clock can be trusted.
apt_options()
{
    apt-config dump | grep -Ei '^Acquire::(https?::.*proxy|Check-(Valid-Until|Date)|Retries)' || true
}
