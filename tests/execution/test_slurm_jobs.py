"""What the Slurm engine makes of what Slurm says of its jobs, and what they are asked for: without a Slurm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ganbench import dirac, losses, metrics
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.execution import slurm_queue
from ganbench.execution.mail import Box, Room
from ganbench.execution.messages import Halt, Message
from ganbench.execution.slurm import SlurmJob, sbatch_options
from ganbench.execution.slurm_node import Errand
from ganbench.execution.slurm_queue import Queue, State
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.objectives import Objective
from ganbench.planning import Options, make_plan
from ganbench.suite.cells import Scoring
from ganbench.suite.cohorts import Cohort
from ganbench.suite.errors import SuiteError
from ganbench.suite.slurm import Slurm, minutes_of, with_settings

SUITE = """objectives: [hinge]
datasets: [ring8]
slurm:
  partition: gpu
  time: 1-12:00:00
  gpus: a100
  setup: [module load cuda]
"""


@dataclass
class Engine:
    """Stands for the cluster: it says of a job what a test has it say."""

    folder: Path
    queue: Queue = field(default_factory=Queue)
    given: list[Errand] = field(default_factory=list)
    asked_to_stop: bool = False

    def says(self, name: str, reason: str = "", job: str = "7_0") -> None:
        self.queue.tell({job: State(name, reason)})

    def give(self, errands: Sequence[Errand]) -> list[str]:
        self.given += errands
        return [str(100 + len(self.given))]

    def stopping(self, box: Box) -> bool:
        return self.asked_to_stop

    def end_run(self, why: BaseException) -> None:
        raise why


@pytest.fixture(autouse=True)
def cancelled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    jobs: list[str] = []
    monkeypatch.setattr(slurm_queue, "cancel", jobs.append)
    monkeypatch.setattr(slurm_queue, "EVERY", 1e9)
    return jobs


@pytest.fixture
def job(tmp_path: Path) -> SlurmJob:
    settings = EvaluationSettings(10, extractors.part("identity", {}), (metrics.registry.part("fid", {}),))
    cell = dirac.cell(Objective(losses.registry.part("minimax", {})), g_steps=5)
    task = CohortRun(
        Cohort((cell,), Scoring(settings, (5,)), trains=True),
        Surroundings(tmp_path / "runs", tmp_path, tmp_path / "cache"),
    )
    return SlurmJob(Engine(tmp_path), Errand(task, "cpu", Room(tmp_path).box(), 60.0), "7_0")  # type: ignore[arg-type]


def tell(job: SlurmJob, *kinds: str) -> None:
    for kind in kinds:
        job.errand.box.post(Message(kind, step=3, steps=5))  # type: ignore[arg-type]


def over(job: SlurmJob, name: str) -> str | None:
    """Have Slurm say it twice, as one time may be a passing moment."""
    job.engine.says(name, job=job.number)
    assert job.ended() is None
    job.engine.says(name, job=job.number)
    return job.ended()


def kinds(job: SlurmJob) -> list[str]:
    return [message.kind for message in Box(job.errand.box.path).read()]


def test_a_job_that_waits_runs_and_ends_well(job: SlurmJob) -> None:
    assert job.ended() is None
    for name in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING"):
        job.engine.says(name)
        assert job.ended() is None
    tell(job, "began", "progress", "done")
    assert over(job, "COMPLETED") == ""


@pytest.mark.parametrize("name", ["PREEMPTED", "NODE_FAIL", "TIMEOUT", "BOOT_FAIL"])
def test_a_job_that_slurm_ends_is_given_again_with_the_same_box(job: SlurmJob, name: str, cancelled: list[str]) -> None:
    tell(job, "began", "progress")
    assert over(job, name) is None
    assert job.engine.given == [job.errand] and job.number == "101" and cancelled == ["7_0"]
    assert kinds(job)[-1] == "lost"
    tell(job, "began", "progress", "done")
    assert over(job, "COMPLETED") == ""


def test_a_job_that_kept_what_it_had_before_its_time_was_over_is_given_again_however_often(job: SlurmJob) -> None:
    for _ in range(10):
        tell(job, "began", "progress", "lost")
        assert over(job, "COMPLETED") is None
    assert len(job.engine.given) == 10


def test_jobs_that_get_nowhere_end_the_run(job: SlurmJob) -> None:
    for _ in range(2):
        tell(job, "began", "lost")
        assert over(job, "COMPLETED") is None
    tell(job, "began", "lost")
    with pytest.raises(Halt, match=r"3 jobs in a row got nowhere with .* ended as COMPLETED"):
        over(job, "COMPLETED")


def test_a_job_that_fails_is_lost_with_its_log(job: SlurmJob) -> None:
    tell(job, "began", "progress")
    (job.engine.folder / "7_0_0_log.err").write_text("a\nb\n\nMemoryError: no more\n")
    said = over(job, "OUT_OF_MEMORY")
    assert said is not None and "7_0 ended as OUT_OF_MEMORY: a / b / MemoryError: no more (its log:" in said
    assert job.engine.given == []


def test_a_job_that_somebody_cancels_ends_the_run(job: SlurmJob) -> None:
    tell(job, "began", "progress", "lost")
    with pytest.raises(Halt, match="7_0 was cancelled"):
        over(job, "CANCELLED")


def test_a_job_that_slurm_has_put_back_is_waited_for(job: SlurmJob) -> None:
    tell(job, "began", "progress")
    job.engine.says("PENDING", "BeginTime")
    assert job.ended() is None and kinds(job)[-1] == "alive"
    assert job.ended() is None and kinds(job).count("alive") == 1
    job.engine.asked_to_stop = True
    assert job.ended() == "it was cancelled"


def test_a_job_that_would_wait_for_ever_is_told(job: SlurmJob) -> None:
    job.engine.says("PENDING", "PartitionTimeLimit")
    with pytest.raises(SuiteError, match=r"job 7_0 would wait for ever .PartitionTimeLimit"):
        job.ended()


def test_a_job_that_is_asked_to_stop_is_waited_for_until_its_last_word(job: SlurmJob) -> None:
    tell(job, "began", "progress")
    job.engine.says("RUNNING")
    job.engine.asked_to_stop = True
    assert job.ended() is None
    tell(job, "left")
    assert job.ended() == "" and job.ended() == ""


def test_a_job_that_was_cancelled_before_it_began_is_over(job: SlurmJob, cancelled: list[str]) -> None:
    job.engine.says("PENDING", "Resources")
    job.cancel()
    assert job.ended() == "it was cancelled" and cancelled == ["7_0"]


def test_an_errand_whose_run_is_over_does_nothing(job: SlurmJob, monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    (job.errand.box.path.parent / "head").unlink()
    job.errand()
    assert kinds(job) == ["alive", "left"]


@pytest.mark.parametrize(
    ("given", "minutes"),
    [
        *((30, 30), ("30", 30), ("90m", 90), ("2h", 120), ("1d12h", 2160), ("90s", 2), ("5:30", 6), ("12:30:00", 750)),
        *(("1-12", 2160), ("1-0:30", 1470), ("1-12:00:00", 2160)),
    ],
)
def test_time_limits_are_read_as_slurm_and_as_people_write_them(given: object, minutes: int) -> None:
    assert minutes_of(given) == minutes


@pytest.mark.parametrize("given", [0, "", "soon", True, "1:2:3:4", 1.5, "-3"])
def test_other_time_limits_are_refused(given: object) -> None:
    with pytest.raises(ValueError, match="is no time limit"):
        minutes_of(given)


def test_the_command_line_wins_over_the_suite(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    found = make_plan(path, Options(tmp_path, executor="slurm", slurm=("time=2h", "account=7"), workers=3))
    slurm = found.suite.slurm
    assert (slurm.partition, slurm.time, slurm.gpus, slurm.account, slurm.parallel) == ("gpu", 120, "a100", "7", 3)
    assert found.devices == ("Slurm GPU",) * 3
    assert make_plan(path, Options(tmp_path, executor="slurm", device="cpu")).suite.slurm.gpus == 0
    asked = sbatch_options(slurm, "suite", 3)
    assert (asked["gpus_per_node"], asked["array_parallelism"], asked["setup"]) == ("a100:1", 3, ["module load cuda"])
    assert asked["additional_parameters"] == {"requeue": True}


def test_nothing_of_slurm_enters_a_key(tmp_path: Path) -> None:
    keys = []
    for text in (SUITE, SUITE.partition("slurm:")[0]):
        (tmp_path / "suite.yaml").write_text(text)
        keys.append([e.planned.cell.key for e in make_plan(tmp_path / "suite.yaml", Options(tmp_path)).entries])
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  partion: gpu", r"suite.yaml:4: unknown setting of slurm 'partion'; did you mean 'partition'\?"),
        ("  time: soon", "suite.yaml:4: time: 'soon' is no time limit"),
        ("  gpus: 2", "suite.yaml:4: gpus: expected 0, 1 or the type of GPU"),
        ("  memory: 8 GB", "suite.yaml:4: memory: expected megabytes, or such as 500M or 8G"),
        ("  [gpu]", "suite.yaml:3: expected settings such as `partition: gpu`"),
    ],
)
def test_what_is_wrong_in_the_suite_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.partition("  partition")[0] + line + "\n")
    with pytest.raises(SuiteError, match=said):
        make_plan(tmp_path / "suite.yaml", Options(tmp_path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"slurm": ("partion=gpu",)}, r"--slurm partion=gpu: unknown setting of slurm .* did you mean 'partition'\?"),
        ({"slurm": ("partition",)}, "--slurm partition: expected NAME=VALUE"),
        ({"slurm": ("parallel=0",)}, "--slurm parallel=0: parallel: Input should be greater than 0"),
        ({"slots_per_device": 2}, "--slots-per-device: a Slurm job trains one cohort at a time"),
        ({"device": "cuda:1"}, "device cuda:1: --executor slurm takes auto, cpu, cuda"),
        ({"slurm": ("time=1",), "executor": "local"}, "--slurm time=1: is for --executor slurm"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_told(tmp_path: Path, options: dict[str, object], said: str) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    with pytest.raises(SuiteError, match=said):
        make_plan(tmp_path / "suite.yaml", Options(tmp_path, **{"executor": "slurm", **options}))  # type: ignore[arg-type]


def test_without_slurm_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SuiteError, match="sbatch, srun, squeue, scancel not found"):
        slurm_queue.must_be_there()
    monkeypatch.setattr(slurm_queue, "find_spec", lambda _: None)
    with pytest.raises(SuiteError, match=r"pip install 'ganbench\[slurm\]'"):
        slurm_queue.must_be_there()


def test_a_run_that_is_led_from_within_a_job_hides_that_job_from_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name, value in {"SLURM_JOB_ID": "3", "SLURM_MEM_PER_CPU": "9", "SLURM_CONF": "/etc/slurm.conf"}.items():
        monkeypatch.setenv(name, value)
    with slurm_queue.outside_of_jobs():
        assert {name for name in os.environ if name.startswith("SLURM_")} == {"SLURM_CONF"}
    assert os.environ["SLURM_MEM_PER_CPU"] == "9"


def test_a_suite_without_a_section_asks_for_little() -> None:
    assert with_settings(Slurm(), ()) == Slurm()
    assert set(sbatch_options(Slurm(), "suite", 2)) == {
        *("job_name", "time", "nodes", "ntasks_per_node", "cpus_per_task", "array_parallelism", "signal_delay_s"),
        "additional_parameters",
    }
