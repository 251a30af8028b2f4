# shellcheck shell=bash
# git on a repository made here: many commits, branches, a merge, clone, repack, gc, fsck, and its log.
. "$PRELOAD_SRC/../lib.sh"
limit 120 180
need git git

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_PAGER=cat HOME=$PWD

small=$(quick && echo 15 || echo 150)
large=$(quick && echo 300 || echo 4000)

# history COUNT: a stream of commits for git fast-import; files grow, change in the middle and go.
history() {
    awk -v count="$1" 'BEGIN {
        for (n = 1; n <= count; n++) {
            printf "commit refs/heads/main\ncommitter c <c@example.org> %d +0000\n", 1600000000 + n * 60
            message = "change " n "\n"
            printf "data %d\n%s", length(message), message
            for (f = 0; f < 3; f++) {
                file = (n * (f + 7)) % 211
                text = ""
                for (line = 0; line < 20 + n % 90; line++)
                    text = text "line " line " of " file (line % 17 == n % 17 ? " changed by " n : "") "\n"
                printf "M 100644 inline dir%d/file%d.txt\ndata %d\n%s\n", file % 9, file, length(text), text
            }
        }
        print "done"
    }'
}

commit_by_hand() {
    local n
    for n in $(seq "$small"); do
        export GIT_AUTHOR_DATE="$((1700000000 + n * 60)) +0000" GIT_COMMITTER_DATE="$((1700000000 + n * 60)) +0000"
        seq "$n" $((n * 20)) >"numbers$((n % 7))"
        git add -A
        git commit -q -m "numbers $n"
    done
}

repository() {
    git init -q -b main repo
    git -C repo config core.logAllRefUpdates false
    history "$large" | git -C repo fast-import --quiet --done
    cd repo || return
    git reset -q --hard
    git checkout -q -b side "main~$((large / 2))"
    commit_by_hand
    git checkout -q main
    commit_by_hand
    git merge -q -s ort -m merged -X ours side
    cd .. || return
    git clone -q --no-local repo copy
    git -C copy repack -q -a -d -f --threads=2 --window=50
    git -C copy gc -q --aggressive --prune=now
    git -C copy fsck --full --strict
    git -C copy log --stat -p --all --topo-order --no-color | sha1sum
    git -C copy log --oneline --graph --no-color | tail -n 5
    git -C copy blame numbers3 | sha1sum
    git -C copy diff --stat "HEAD~$((small / 2))" | tail -n 3
    git -C copy grep -c changed | sha1sum
    git -C copy rev-list --objects --all | sort | sha1sum
    git -C copy bundle create -q ../all.bundle --all
    git -C copy bundle verify -q ../all.bundle
    git -C copy archive HEAD | sha1sum
    git -C copy cat-file --batch-check --batch-all-objects | sha1sum
}

same repository repository
loaded '*/git' $((small * 4))
