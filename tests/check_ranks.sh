#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Training with several processes: the model on bytes is the same for any number of threads and
# ranks, on one machine and over a network. If a rank dies, the job ends and can be resumed from its
# checkpoint.
#   check_ranks.sh here PROGRAM MPIEXEC     ranks on this machine
#   check_ranks.sh network PROGRAM MPIEXEC  two ranks in two network namespaces, connected by veth
# Exit codes: 0 passed; 1 failed; 77 skipped, with the reason.
set -euo pipefail
where=$1 downhill=$2 mpiexec=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

run=("$mpiexec" --oversubscribe)
[ "$(id -u)" -ne 0 ] || run+=(--allow-run-as-root)
# Ranks share CPUs here, so a waiting rank must yield.
export OMPI_MCA_mpi_yield_when_idle=1

# The batch size is divisible by no number of ranks or threads used here.
arguments=(train --epochs 2 --batch 1007 --momentum 0.9 --normalize standardize --lr 0.001)

digest_of() {
    sed -n 's/^model digest //p' "$1"
}

# Trains with a command that starts the program. Prints the digest of the model.
trained() {
    "$@" "${arguments[@]}" >"$scratch/out" 2>"$scratch/err" ||
        fail "$* ${arguments[*]}: exit code $?: $(cat "$scratch/out" "$scratch/err")"
    [ "$(grep -c '^epoch' "$scratch/out")" -eq 2 ] ||
        fail "$*: expected one line per epoch, printed by rank 0 only: $(cat "$scratch/out")"
    digest_of "$scratch/out"
}

check_digest() { # digest, how it was trained
    { [ -n "$alone" ] && [ "$1" = "$alone" ]; } ||
        fail "$2: digest $1 differs from that of one process, $alone"
}

alone=$(trained "$downhill")

# Softmax, with minibatches whose sums fit 32 bits, and with larger ones.
check_softmax() {
    local batch count=${#arguments[@]}
    for batch in 500 1007; do
        arguments+=(--loss softmax --batch "$batch")
        alone=$(trained "$downhill")
        arguments+=(--threads 2)
        check_digest "$(trained "${run[@]}" -n 3 "$downhill")" \
            "softmax, 3 ranks with 2 threads each, minibatches of $batch"
        arguments=("${arguments[@]:0:count}")
    done
}

# In f32, one thread and any workers with --reproducible.
check_reproducible() {
    local loss count=${#arguments[@]}
    for loss in hinge softmax; do
        arguments+=(--dtype f32 --reproducible --loss "$loss")
        alone=$(trained "$downhill")
        for ranks in 2 3 4; do
            check_digest "$(trained "${run[@]}" -n "$ranks" "$downhill")" "f32, $loss, $ranks ranks"
        done
        arguments+=(--threads 3)
        check_digest "$(trained "$downhill")" "f32, $loss, 3 threads"
        check_digest "$(trained "${run[@]}" -n 2 "$downhill")" "f32, $loss, 2 ranks with 3 threads"
        arguments=("${arguments[@]:0:count}")
    done
}

check_here() {
    arguments+=(--threads 4)
    check_digest "$(trained "$downhill")" '4 threads'
    unset 'arguments[-1]' 'arguments[-1]'
    for ranks in 1 2 4; do
        check_digest "$(trained "${run[@]}" -n "$ranks" "$downhill")" "$ranks ranks"
    done
    arguments+=(--threads 2)
    check_digest "$(trained "${run[@]}" -n 2 "$downhill")" '2 ranks with 2 threads each'
    unset 'arguments[-1]' 'arguments[-1]'
    check_softmax
    check_reproducible
    arguments+=(--batch 3) # a rank has no samples
    arguments+=(--data "idx:$(small_set)")
    alone=$(trained "$downhill")
    check_digest "$(trained "${run[@]}" -n 4 "$downhill")" '4 ranks with batches of 3'
    check_refusals
    check_differences
    check_death
}

# Writes the first 700 samples of Fashion-MNIST. Prints their paths.
small_set() {
    local from=${DOWNHILL_FASHION_MNIST:-/usr/share/datasets/fashion-mnist}
    {
        printf '\0\0\10\3\0\0\2\274\0\0\0\34\0\0\0\34'
        zcat "$from/train-images-idx3-ubyte.gz" 2>/dev/null |
            tail -c +17 | head -c $((700 * 784)) || true
    } >"$scratch/images"
    {
        printf '\0\0\10\1\0\0\2\274'
        zcat "$from/train-labels-idx1-ubyte.gz" 2>/dev/null | tail -c +9 | head -c 700 || true
    } >"$scratch/labels"
    echo "$scratch/images,$scratch/labels"
}

# An error that all ranks detect is reported once. An error on one rank ends all ranks.
check_refusals() {
    local code=0
    "${run[@]}" -n 2 "$downhill" train --method lbfgs --loss softmax \
        >"$scratch/out" 2>"$scratch/err" || code=$?
    # mpirun may interrupt the other rank, which then reports that.
    { [ "$code" -eq 2 ] &&
        [ "$(grep '^downhill: ' "$scratch/err" | grep -vc ': interrupted; ')" -eq 1 ]; } ||
        fail "lbfgs with two ranks: exit code $code: $(cat "$scratch/err")"
    code=0
    "${run[@]}" -n 1 "$downhill" train --epochs 1 : -n 1 "$downhill" train --epochs 1 \
        --data "idx:$scratch/none,$scratch/none" >"$scratch/out" 2>"$scratch/err" || code=$?
    { [ "$code" -eq 3 ] && grep -q '^downhill: rank 1: .*cannot open' "$scratch/err"; } ||
        fail "one rank without data: exit code $code: $(cat "$scratch/err")"
    code=0
    {
        head -c 8 "$scratch/labels"
        head -c 700 /dev/zero
    } >"$scratch/one_class"
    "${run[@]}" -n 2 "$downhill" train --data "idx:$scratch/images,$scratch/one_class" \
        >"$scratch/out" 2>"$scratch/err" || code=$?
    { [ "$code" -eq 3 ] &&
        [ "$(grep -c "every training sample is of class '0'" "$scratch/err")" -eq 1 ]; } ||
        fail "samples of one class: exit code $code: $(cat "$scratch/err")"
}

# If only some ranks fail, or if the ranks differ in data, no rank waits for ever.
check_differences() {
    local code=0
    timeout 60 "${run[@]}" -n 1 "$downhill" train --epochs 1 --dtype f32 --reproducible : \
        -n 1 "$downhill" train --epochs 1 --dtype f32 --reproducible --threads 2 \
        >"$scratch/out" 2>"$scratch/err" || code=$?
    { [ "$code" -eq 3 ] && grep -q 'the ranks differ in data' "$scratch/err"; } ||
        fail "other threads with --reproducible: exit code $code: $(cat "$scratch/err")"
    code=0
    timeout 60 "${run[@]}" -n 2 "$downhill" train --json "$scratch/none/x.json" \
        >"$scratch/out" 2>"$scratch/err" || code=$?
    { [ "$code" -eq 2 ] && grep -q '^downhill: .*cannot write' "$scratch/err"; } ||
        fail "rank 0 cannot write the results: exit code $code: $(cat "$scratch/err")"
    code=0
    timeout 60 "${run[@]}" -n 1 "$downhill" train --epochs 1 --isa scalar : \
        -n 1 env DOWNHILL_DISABLE=nonsense "$downhill" train --epochs 1 --isa scalar \
        >"$scratch/out" 2>"$scratch/err" || code=$?
    { [ "$code" -eq 4 ] &&
        grep -q '^downhill: rank 1: train: refused on this rank' "$scratch/err"; } ||
        fail "one rank refuses: exit code $code: $(cat "$scratch/err")"
    for other in '--seed 2' '--validation 10%'; do
        code=0
        # shellcheck disable=SC2086 # words
        timeout 60 "${run[@]}" -n 1 "$downhill" train --epochs 1 : \
            -n 1 "$downhill" train --epochs 1 $other \
            >"$scratch/out" 2>"$scratch/err" || code=$?
        { [ "$code" -eq 3 ] &&
            [ "$(grep -c '^downhill: .*the ranks differ in data' "$scratch/err")" -eq 1 ]; } ||
            fail "rank 1 with $other: exit code $code: $(cat "$scratch/err")"
    done
}

check_death() {
    local code=0 job victim end=40
    arguments=(train --epochs "$end" --batch 512)
    "$downhill" "${arguments[@]}" >"$scratch/out" 2>/dev/null || fail "alone: exit code $?"
    alone=$(digest_of "$scratch/out")
    "${run[@]}" -n 2 "$downhill" "${arguments[@]}" --checkpoint "$scratch/checkpoint" --every 7 \
        >"$scratch/out" 2>"$scratch/err" &
    job=$!
    for ((wait = 0; wait < 300; wait++)); do
        [ ! -e "$scratch/checkpoint" ] || break
        sleep 0.1
    done
    victim=$(pgrep -f "checkpoint $scratch/checkpoint" | xargs -r ps -o pid=,comm= -p |
        awk '$2 == "downhill" {pid = $1} END {print pid}')
    [ -n "$victim" ] || fail "no rank to kill: $(cat "$scratch/out" "$scratch/err")"
    kill -9 "$victim"
    wait "$job" || code=$?
    [ "$code" -ne 0 ] || fail 'a rank was killed, but the exit code of the job is 0'
    grep -q "one of them has died.*train --resume $scratch/checkpoint" "$scratch/err" ||
        fail "a rank was killed, but no other reports it: $(cat "$scratch/err")"
    # Resumes with 2 ranks, then with one process.
    cp "$scratch/checkpoint" "$scratch/again"
    "${run[@]}" -n 2 "$downhill" train --resume "$scratch/checkpoint" \
        >"$scratch/out" 2>"$scratch/err" ||
        fail "resume: exit code $?: $(cat "$scratch/err")"
    check_digest "$(digest_of "$scratch/out")" 'resumed by 2 ranks'
    "$downhill" train --resume "$scratch/again" >"$scratch/out" 2>"$scratch/err" ||
        fail "resume alone: exit code $?: $(cat "$scratch/err")"
    check_digest "$(digest_of "$scratch/out")" 'resumed by one process'
}

# Writes the command that mpirun uses instead of ssh to start its daemon on the other host.
write_agent() {
    cat >"$scratch/agent" <<'AGENT'
#!/bin/sh
shift
exec ip netns exec "$DOWNHILL_FAR" unshare --uts sh -c "hostname $DOWNHILL_FAR; $*"
AGENT
    chmod +x "$scratch/agent"
}

check_network() {
    local net=10.213.7
    near=dh-near-$$ far=dh-far-$$ # not local: the trap uses them
    trap 'ip netns del "$near"; ip netns del "$far"; rm -rf "$scratch"' EXIT
    if ! { ip netns add "$near" && ip netns add "$far" &&
        ip link add dh-n type veth peer name dh-f &&
        ip link set dh-n netns "$near" && ip link set dh-f netns "$far"; } 2>"$scratch/err"; then
        trap 'rm -rf "$scratch"' EXIT
        ip netns del "$near" 2>"$scratch/gone" || true
        ip netns del "$far" 2>"$scratch/gone" || true
        echo "skipped: cannot create network namespaces: $(head -n 1 "$scratch/err")"
        exit 77
    fi
    ip -n "$near" addr add $net.1/24 dev dh-n
    ip -n "$far" addr add $net.2/24 dev dh-f
    for name in "$near" "$far"; do
        ip -n "$name" link set lo up
    done
    ip -n "$near" link set dh-n up
    ip -n "$far" link set dh-f up
    write_agent
    export DOWNHILL_FAR=$far
    local network=(ip netns exec "$near" "${run[@]}" -n 2 --host "$net.1:1,$net.2:1"
        --mca plm_rsh_agent "$scratch/agent" --mca btl "tcp,self"
        --mca btl_tcp_if_include "$net.0/24" --mca oob_tcp_if_include "$net.0/24")
    "${network[@]}" hostname >"$scratch/out" 2>"$scratch/err" ||
        fail "cannot start a command on two hosts: $(cat "$scratch/err")"
    [ "$(sort -u "$scratch/out" | wc -l)" -eq 2 ] ||
        fail "expected two host names: $(cat "$scratch/out")"
    check_digest "$(trained "${network[@]}" "$downhill")" 'two ranks over a network'
}

case "$where" in
here) check_here ;;
network) check_network ;;
*) fail "unknown argument '$where'; give here or network" ;;
esac
echo 'passed'
