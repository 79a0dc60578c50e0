"""Bad input: settings of a recipe given as overrides, and what only its data or its model can tell."""

from __future__ import annotations

from bad_case import Case

from bythebook.recipe import recipe_names


def _set(name: str, said: str, *overrides: str, recipe: str = "r1_re_tiny") -> Case:
    return Case(name, ("train", recipe, *overrides, "--dry-run"), said)


def _train(name: str, said: str, *overrides: str, recipe: str = "r1_re_tiny", leaves: tuple[str, ...] = ()) -> Case:
    """What only the data or the model can tell: nothing is trained."""
    small = ("data.options.train=4", "data.options.id=4", "data.options.ood=4")
    leaves = leaves or ("run", "run/recipe.yaml", "run/records")
    return Case(name, ("train", recipe, *small, *overrides, "-o", "run", "--json"), said, leaves=leaves, chatty=True)


SETTINGS = (
    _set(
        "an override without value",
        "not an override: 'training.max_steps' (write section.key=value)",
        "training.max_steps",
    ),
    _set("an override without key", "not an override: '=3' (write section.key=value)", "=3"),
    _set(
        "an override with an empty part",
        "not an override: 'training..max_steps=3' (write section.key=value)",
        "training..max_steps=3",
    ),
    _set("an override below a value", "'seed.x=3': 'seed' is a value, not a section", "seed.x=3"),
    _set(
        "an override that is no YAML",
        "'training.max_steps=[3': the value is not YAML (quote it: section.key='\"value\"')",
        "training.max_steps=[3",
    ),
    _set(
        "an override of an unknown key",
        (
            "'training.steps=3': training.steps: Extra inputs are not permitted (keys here: max_steps, "
            "learning_rate, lr_scheduler, min_lr_rate, warmup_steps, adam_beta1, adam_beta2, weight_decay, "
            "max_grad_norm, batch_size, sentences_per_row, group_by_length, micro_batch_size, pack_tokens, bf16, "
            "gradient_checkpointing, logging_steps, save_steps, keep_checkpoints, threads)"
        ),
        "training.steps=3",
    ),
    _set(
        "an override of the wrong type",
        (
            "'training.max_steps=x': training.max_steps: Input should be a valid integer, unable to parse string "
            "as an integer, got 'x' (`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints "
            "one)"
        ),
        "training.max_steps=x",
    ),
    _set(
        "a list that is a mapping",
        (
            "r1_re_tiny.yaml:11: data.also: Input should be a valid tuple, got \"{'x': 1}\" (`bythebook recipes` "
            "lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "data.also.x=1",
    ),
    _set(
        "an override of a list out of range",
        "'evaluation.splits.9=x': no entry '9' (the list has 2, counted from 0)",
        "evaluation.splits.9=x",
    ),
    _set(
        "an unknown template",
        (
            "'prompt.template=long': prompt.template: Input should be 'r1_re' or 'short', got 'long' (`bythebook "
            "recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "prompt.template=long",
    ),
    _set(
        "an unknown rendering in a recipe",
        (
            "'prompt.rendering=html': prompt.rendering: Input should be 'full', 'condensed', 'rules' or 'brief', "
            "got 'html' (`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "prompt.rendering=html",
    ),
    _set(
        "an unknown loss",
        (
            "'objective.loss_type=ppo': objective.loss_type: Input should be 'grpo', 'dr_grpo', 'dapo' or "
            "'bnpo', got 'ppo' (`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "objective.loss_type=ppo",
    ),
    _set(
        "a two-sided clip below one",
        (
            "'objective.delta=0.5': objective.delta: must exceed 1 + epsilon_high = 1.2, got '0.5' (`bythebook "
            "recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "objective.delta=0.5",
    ),
    _set(
        "Archer without an upper clip for reasoning",
        (
            "archer_tiny.yaml:41: objective.archer: needs epsilon_high: the upper clip of reasoning is a choice of its "
            "own, got \"{'knowledge': {'epsilon': 0.2, 'epsilon_high': 0.2, 'delta':\" "
            "(`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "objective.epsilon_high=null",
        recipe="archer_tiny",
    ),
    _set(
        "fewer rows than a step has prompts",
        (
            "one_shot_tiny.yaml: data.repeat: 5 rows don't fill a step of 12 prompts "
            "(`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "data.repeat=5",
        recipe="one_shot_tiny",
    ),
    _set(
        "a critic beside a baseline",
        (
            "'objective.advantages_by=rloo': objective.advantages_by: objective.ppo has advantages of its own: leave "
            "this out, got 'rloo' (`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "objective.ppo={gamma: 1, gae_lambda: 1, critic_learning_rate: 1, value_clip: null, value_coef: 1, "
        "whiten: true, critic_warmup_steps: 0}",
        "objective.advantages_by=rloo",
    ),
    _set(
        "dynamic sampling of groups that all teach",
        (
            "r1_re_tiny.yaml: rollout.refill: under objective.advantages_by reinforce something is learnt from a group "
            "of equal rewards, too (`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "rollout.refill={rule: fixed, max_prompts: 24}",
        "objective.advantages_by=reinforce",
    ),
    _set(
        "an unknown baseline",
        (
            "'objective.advantages_by=gae': objective.advantages_by: Input should be 'group', 'reinforce', 'rloo', "
            "'reinforce_pp', 'reinforce_pp_baseline', 'rlpr', 'task_relative' or 'task_relative_tokens', got 'gae' "
            "(`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "objective.advantages_by=gae",
    ),
    _set(
        "a model chosen on test data",
        (
            "r1_re_tiny.yaml: evaluation.choose_on: ood: a model is never chosen on training or test data "
            "(`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "evaluation.choose_on=ood",
    ),
    _set(
        "a model chosen without probes",
        (
            "r1_re_tiny.yaml: evaluation.choose_on needs evaluation.every and evaluation.limit above 0 "
            "(`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "evaluation.choose_on=dev",
        "evaluation.every=0",
    ),
    _set(
        "a seed that is a text",
        (
            "'seed=x': seed: Input should be a valid integer, unable to parse string as an integer, got 'x' "
            "(`bythebook recipes` lists examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "seed=x",
    ),
    _set(
        "a negative seed in a recipe",
        (
            "'seed=-1': seed: Input should be greater than or equal to 0, got '-1' (`bythebook recipes` lists "
            "examples, `bythebook train NAME --dry-run` prints one)"
        ),
        "seed=-1",
    ),
    _set(
        "a seed of 30 digits",
        (
            "'seed=999999999999999999999999999999': seed: Input should be less than 4294967296, got "
            "'999999999999999999999999999999' (`bythebook recipes` lists examples, `bythebook train NAME "
            "--dry-run` prints one)"
        ),
        "seed=" + "9" * 30,
    ),
    _set(
        "a section that is misspelt",
        (
            "r1_re_tiny.yaml: trainin: Extra inputs are not permitted (keys here: name, system, paper, needs, "
            "method, seed, warm_start, model, data, prompt, reward, objective, rollout, training, evaluation)"
        ),
        "trainin.max_steps=3",
    ),
    _set(
        "a LoRA without rank",
        (
            "r1_re_tiny.yaml:7: model.lora.r: Field required (`bythebook recipes` lists examples, `bythebook "
            "train NAME --dry-run` prints one)"
        ),
        "model.lora.alpha=2",
    ),
    _train(
        "an unknown task in a recipe",
        "no task 'world2' "
        "(there are: crossre, documents, free_answers, key_values, mcqa, mdkg, rtllm, scier, scierc, semeval2010, "
        "semeval2018, sroie, tables, verdicts, verilog_eval, world, world_answers, world_circuits, world_fields, "
        "world_forms, world_joint, world_mcqa, world_programs, world_scenes, world_tables)",
        "data.task=world2",
    ),
    _train(
        "an unknown option of a task",
        (
            "world option size: Extra inputs are not permitted (options are: seed, k, train, domains, "
            "fresh_share, id, ood, train_per_guideline, per_guideline)"
        ),
        "data.options.size=2",
    ),
    _train(
        "an option out of range",
        (
            "world option k: Value error, K must lie in 2…8, got 99 (options are: seed, k, train, domains, "
            "fresh_share, id, ood, train_per_guideline, per_guideline)"
        ),
        "data.options.k=99",
    ),
    _train(
        "an option of the wrong type",
        (
            "world option train: Input should be a valid integer, unable to parse string as an integer (options "
            "are: seed, k, train, domains, fresh_share, id, ood, train_per_guideline, per_guideline)"
        ),
        "data.options.train=many",
    ),
    _train(
        "data that is not there",
        "none: no such file or folder (give the folder of the release)",
        "data.path=none",
        "data.task=semeval2010",
        "data.options={}",
    ),
    _train(
        "an unknown split to train on",
        "task 'world' gives no examples in split 'trian' (splits here are: train, id, ood)",
        "data.train_split=trian",
    ),
    _train(
        "an unknown reward in a recipe",
        "there is no reward 'r2_re' (choose one of r1_re, r1_re_anchored, r1_re_triplets, r2grpo, r2grpo_release, "
        "free_answer, med_rlvr, perception_r1, perception_r1_release, "
        "medical_vie, medical_vie_paper, table_r1, table_r1_release, table_r1_evaluation, "
        "codev_r1, format_only, random, bernoulli, majority, incorrect, python, no_python, "
        "no_repetition, boxed)",
        "reward.name=r2_re",
    ),
    _train(
        "an unknown option of a reward",
        (
            "reward 'r1_re' has no option rihgt "
            "(it has bad_format, wrong, right, anchored, unparseable, prefilled, tags)"
        ),
        "reward.options={rihgt: 1}",
    ),
    _train(
        "an option of a reward of the wrong type",
        (
            "reward 'r1_re': right: Input should be a valid number, unable to parse string as a number (its "
            "options are bad_format, wrong, right, anchored, unparseable, prefilled, tags)"
        ),
        "reward.options={right: high}",
    ),
    _train(
        "an example that is not there",
        "data.only: there is no training example 'x' "
        "(ids of this data look like world-train-0-0, world-train-0-3, world-train-0-1)",
        "data.only=[x]",
        recipe="one_shot_tiny",
    ),
    _train(
        "an unknown target",
        "task 'world' has no target 'best' (it has: answer, careful, mixed)",
        "data.target=best",
        recipe="r1_re_tiny_sft",
    ),
    _train(
        "an unknown option of a model from scratch",
        (
            "model.scratch.layer: Extra inputs are not permitted (options are: words, vocabulary, vision, hidden_size, "
            "layers, heads, head_size, mlp_size, init_std, output_shrink, rope_theta, context, lookup_heads)"
        ),
        "model.path=scratch",
        "model.scratch={layer: 3}",
    ),
    _train(
        "a size of a model from scratch that is a text",
        (
            "model.scratch.layers: Input should be a valid integer, unable to parse string as an integer "
            "(options are: words, vocabulary, vision, hidden_size, layers, heads, head_size, mlp_size, init_std, "
            "output_shrink, rope_theta, context, lookup_heads)"
        ),
        "model.path=scratch",
        "model.scratch={layers: many}",
    ),
    _train(
        "a vocabulary that is a text",
        "model.scratch.vocabulary: 'big' is no number of tokens",
        "model.path=scratch",
        "model.scratch={vocabulary: big}",
    ),
    _train(
        "a negative size of a model from scratch",
        (
            "model.scratch.layers: Input should be greater than or equal to 1 (options are: words, vocabulary, vision, "
            "hidden_size, layers, heads, head_size, mlp_size, init_std, output_shrink, rope_theta, context, "
            "lookup_heads)"
        ),
        "model.path=scratch",
        "model.scratch={layers: -1}",
    ),
    _train(
        "a model from scratch that is too large",
        (
            "model.scratch: no model can be built of these sizes: [enforce fail at alloc_cpu.cpp:127] err == 0. "
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 1868000000000000 bytes. Error "
            "code 12 (Cannot allocate memory)"
        ),
        "model.path=scratch",
        "model.scratch={hidden_size: 1000000000000}",
    ),
    _train(
        "unknown words of a model from scratch",
        (
            "model.scratch.words: there are no words 'all' (world, world_joint, world_circuits, world_forms, "
            "world_programs, world_tables, or leave it out)"
        ),
        "model.path=scratch",
        "model.scratch={words: all}",
    ),
    _train(
        "a head size that is odd",
        (
            "model.scratch.head_size: Input should be a multiple of 2 (options are: words, vocabulary, vision, "
            "hidden_size, layers, heads, head_size, mlp_size, init_std, output_shrink, rope_theta, context, "
            "lookup_heads)"
        ),
        "model.path=scratch",
        "model.scratch={head_size: 3}",
    ),
    _train(
        "an unknown split to choose on",
        (
            "evaluation.choose_on: there is no labelled example in a split 'dev' (splits here are: train, id, "
            "ood; `bythebook data split` makes one)"
        ),
        "evaluation.choose_on=dev",
    ),
    _train(
        "an unknown warm start",
        f"no recipe 'r1_rex' in the package (give a .yaml file or one of: {', '.join(recipe_names())})",
        "warm_start=r1_rex",
    ),
    _train(
        "groups that do not fill a batch",
        (
            "96 rows a step (prompts_per_step x num_generations) don't divide into micro-batches of 7 "
            "(training.micro_batch_size: a divisor of 96)"
        ),
        "training.micro_batch_size=7",
    ),
    _train(
        "layers for LoRA that the model lacks",
        (
            "model.lora.target_modules: the model has no layer 'no_proj' (all-linear, or some of: down_proj, "
            "embed_tokens, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj)"
        ),
        "model.lora={r: 2, alpha: 4, dropout: 0, target_modules: [no_proj]}",
    ),
    _train(
        "layers for LoRA that have no weights",
        (
            "model.lora.target_modules: the model has no layer 'act_fn' (all-linear, or some of: down_proj, "
            "embed_tokens, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj)"
        ),
        "model.lora={r: 2, alpha: 4, dropout: 0, target_modules: [act_fn]}",
    ),
    _train(
        "layers for LoRA by a broken expression",
        ("model.lora.target_modules is no regular expression: missing ), unterminated subpattern at position 0"),
        "model.lora={r: 2, alpha: 4, dropout: 0, target_modules: '('}",
    ),
    _train(
        "vLLM where it is not installed",
        "rollout.use_vllm needs the 'vllm' extra: pip install 'bythebook[vllm]'",
        "rollout.use_vllm=true",
    ),
    _train(
        "further data of an unknown task",
        "no task 'wrld' "
        "(there are: crossre, documents, free_answers, key_values, mcqa, mdkg, rtllm, scier, scierc, semeval2010, "
        "semeval2018, sroie, tables, verdicts, verilog_eval, world, world_answers, world_circuits, world_fields, "
        "world_forms, world_joint, world_mcqa, world_programs, world_scenes, world_tables)",
        "data.also=[{task: wrld}]",
    ),
    Case(
        "an unknown launch configuration",
        ("launch", "fsdp3"),
        "no launch configuration 'fsdp3' (one of: ddp, fsdp, zero2, zero3)",
    ),
    Case(
        "an unknown bench",
        ("bench", "training"),
        "no bench 'training' (there are: scoring, train, rollout, annotate, growth)",
    ),
    Case(
        "an unknown arm of the demo",
        ("demo", "--arm", "rll", "-o", "run", "--json"),
        "no demo arm 'rll' (there are: rl, start, sft_answers, rl_random, rl_format, sft_careful)",
    ),
)
