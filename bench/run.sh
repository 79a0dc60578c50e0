#!/bin/sh
# Every bench of models, one after the other: about two hours on two quiet cores. From the repository's root.
set -eu
keep() {
    name=$1
    shift
    bythebook bench "$@" --json > "bench/$name.part"
    mv "bench/$name.part" "bench/$name.json"
}
keep train train
keep train_group16 train --group 16 --micro-batch 8
keep train_vocabulary32k train --vocabulary 32768 --micro-batch 8
keep train_embedded train --model embedded
keep rollout rollout
keep annotate annotate
keep growth growth --output bench
mv bench/growth.png docs/images/growth.png
python -m bythebook.studies.bench_tables bench docs/performance.md
