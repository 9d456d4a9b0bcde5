"""All settings with their defaults.

Sources, in increasing precedence: defaults, the TOML file named by ``--config`` or ``JUDGE_SERVER_CONFIG``, environment
variables (``JUDGE_SERVER_PORT=8001``; ``DATABASE_URL`` for the database), and the flags of the command line.
"""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from judge_server.core.api_key import ApiKey
from judge_server.core.caller import ClassLimit, PriorityClass
from judge_server.core.erasure import RetentionClass
from judge_server.core.judge import JudgeSpecification
from judge_server.core.monitor import MonitorLimits
from judge_server.core.rubric import Suspicions
from judge_server.settings.cluster import RaySettings
from judge_server.settings.environment import PREFIX, secret_file
from judge_server.util.parsing import read_json
from judge_server.util.redaction import keep_keys, keep_secret

DEFAULT_DATABASE = "sqlite:///judge-server.db"
DEFAULT_JUDGE = "default"


class Settings(BaseSettings):
    """``judges`` by name; ``default_judge`` is used if a submission names none."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, populate_by_name=True
    )
    _file: Path | None = PrivateAttr(default=None)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    database_url: str | None = Field(
        default=None,
        repr=False,
        validation_alias=AliasChoices("JUDGE_SERVER_DATABASE_URL", "DATABASE_URL"),
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; serve defaults to ./judge-server.db.",
    )
    secret_file: Path = Field(
        default_factory=secret_file,
        description="Secret of a new database; the fences around texts in prompts are derived from it.",
    )
    rubrics: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="Directories of rubric files; the bundled library if empty."
    )
    judges: dict[str, JudgeSpecification] = Field(default_factory=dict, description="Judges by name.")
    default_judge: str | None = Field(default=None, description="The judge that answers when a submission names none.")
    max_body_bytes: int = Field(default=8 * 2**20, ge=1_024, description="Larger request bodies are refused with 413.")
    max_batch_items: int = Field(default=1_024, ge=1, description="Submissions in one request.")
    max_steps: int = Field(
        default=256, ge=1, description="Steps of a response judged one by one; those beyond are judged together."
    )
    max_under_way: int = Field(
        default=4_096, ge=1, description="Concurrent submissions of a priority class; beyond that 429."
    )
    max_questions: int = Field(
        default=32_768, ge=1, description="Concurrent questions to judges of a priority class; beyond that 429."
    )
    class_limits: dict[PriorityClass, ClassLimit] = Field(
        default_factory=dict, description="Other limits of single classes: submissions, questions."
    )
    lower_class_share: float = Field(
        default=0.0,
        ge=0,
        le=0.3,
        description="Share of calls for each class that waits behind a more urgent one; 0: none.",
    )
    max_bodies_bytes: int = Field(
        default=256 * 2**20, ge=1_024, description="Total size of concurrent request bodies; beyond that 429."
    )
    default_deadline_seconds: float | None = Field(
        default=120.0, gt=0, allow_inf_nan=False, description="Deadline of a request that names none."
    )
    default_collection_seconds: float = Field(
        default=60.0, gt=0, le=86_400, description="How long a group waits for members if the request does not say."
    )
    max_cohorts: int = Field(default=1_024, ge=1, description="Groups being collected or remembered; beyond that 429.")
    max_cohort_bytes: int = Field(
        default=256 * 2**20, ge=1_024, description="Total size of these groups; beyond that 429."
    )
    cohort_memory_seconds: float = Field(
        default=60.0, gt=0, le=86_400, description="How long a judged group answers repeated requests."
    )
    workers: int = Field(
        default=1, ge=1, le=256, description="Processes behind the listening socket; limits hold for all together."
    )
    ray: RaySettings = Field(
        default=RaySettings(), description="serve --on ray: replicas, their resources and the cluster; see docs ray."
    )
    drain_seconds: float = Field(
        default=20.0, ge=0, le=86_400, description="How long shutdown waits for work in progress."
    )
    wait_for_judge: bool = Field(
        default=True,
        description="If a judge's address does not answer at start: start unready, take jobs in, and wait for it. "
        "Otherwise end with the error; canary = refuse does so, too.",
    )
    wait_for_database_seconds: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        description="How long a start waits for PostgreSQL; then it ends with the error.",
    )
    cache_entries: int = Field(
        default=100_000, ge=0, description="Verdicts kept in memory; the store keeps them for longer."
    )
    veto: Suspicions = Field(
        default=(), description="Flags of the guard that give the lowest reward without a judge, under any rubric."
    )
    thin_responses: Literal["witness", "judge"] = Field(
        default="witness",
        description="A response that may say nothing: first ask the judge whether it does, or judge it as any other.",
    )
    obliging_judges: Literal["abstain", "judge"] = Field(
        default="judge",
        description="A judge that takes three mere announcements for answers: believe it, or give no verdict of it.",
    )
    thin_characters: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Responses up to this many characters may say nothing, whatever they say.",
    )
    canary: Literal["off", "warn", "refuse"] = Field(
        default="warn",
        description="Questions with known answers for every judge at start, and the effect of failing them.",
    )
    canary_seconds: float = Field(
        default=3_600.0, ge=0, le=2_592_000, description="How often canaries are asked again; 0 only at start."
    )
    recognition_seconds: float = Field(
        default=60.0,
        ge=0,
        le=2_592_000,
        description="How often a used model behind an address is recognised by fixed questions, beside after every "
        "interruption; 0 only then. canary = off switches both off.",
    )
    require_calibrated: bool = Field(
        default=False, description="Judge only under rubrics for which the judge has passed calibrate gate (else 409)."
    )
    reask: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of a run's judgments whose judge is asked again, to show how much of the reward is chance.",
    )
    allow_prereleases: bool = Field(
        default=False, description="Let prerelease versions of rubrics, whose content may change, reward training."
    )
    require_review: bool = Field(
        default=False, description="Judge only under rubrics with a valid review in reviews.yaml (else 409)."
    )
    allow_withdrawn: bool = Field(default=False, description="Judge under withdrawn rubric versions too.")
    gate_policy: Path | None = Field(
        default=None, description="TOML file of the gate's demands; certificates under other demands do not count."
    )
    fitted_maps: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="Files of fitted maps; they take precedence over those in use in the database."
    )
    calibration_refresh_seconds: float = Field(
        default=15.0, ge=0.05, le=86_400, description="How often fitted maps and certificates are read again."
    )
    python_graders: bool = Field(
        default=False, description="Run the programs of python graders, each confined in a process of its own."
    )
    python_grader_seconds: int = Field(default=10, ge=1, le=3_600, description="Processor time of one program.")
    python_grader_mebibytes: int = Field(
        default=1_024, ge=128, le=1_048_576, description="Address space of one program."
    )
    python_graders_at_once: int = Field(default=4, ge=1, le=1_024, description="Programs running at the same time.")
    prompt_table: Path | None = Field(
        default=None,
        description="JSONL file of rubrics by prompt, for trainers whose URL leaves the rubric to the sample.",
    )
    max_job_bytes: int = Field(default=256 * 2**20, ge=1_024, description="Largest JSONL upload of a job.")
    max_job_items: int = Field(default=200_000, ge=1, description="Submissions in one job.")
    job_items_at_once: int = Field(default=64, ge=1, description="Submissions of jobs judged at a time, in each class.")
    job_lease_seconds: float = Field(
        default=15.0,
        ge=0.2,
        le=3_600,
        description="Lease of a job; if its server does not renew it, another takes over.",
    )
    job_attempts: int = Field(
        default=4, ge=1, le=100, description="Attempts at a job's item whose judge failed, with growing pauses."
    )
    retention_days: dict[RetentionClass, Annotated[float, Field(gt=0, le=36_500)]] = Field(
        default_factory=dict,
        description="Days that judgments are kept, by class: training, evaluation, audit; others are kept for ever.",
    )
    verdict_retention_days: float = Field(
        default=90.0, gt=0, le=36_500, description="Days that verdicts are remembered for equal questions."
    )
    job_retention_seconds: float = Field(
        default=7 * 86_400.0, ge=0, le=3_153_600_000, description="How long an ended job's results can be fetched."
    )
    authentication: Literal["auto", "required", "off"] = Field(
        default="auto", description="Demand API keys: auto does unless host is a loopback address."
    )
    api_keys: dict[str, ApiKey] = Field(
        default_factory=dict, description="Digests of API keys by name, in addition to those in the database."
    )
    root_path: str = Field(
        default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$", description="Path of a proxy below which this server is reached."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    views: Literal["auto", "by_key", "shared"] = Field(
        default="auto",
        description="Whose judgments, jobs and runs a key sees: by_key its own; auto is by_key if keys are demanded.",
    )
    trusted_hosts: tuple[str, ...] = Field(default=(), description="Names of this server accepted in the Host header.")
    health_seconds: float = Field(
        default=5.0, ge=0.05, le=300, description="How often the server looks at its store, disk and judge."
    )
    unready_after_null_seconds: float = Field(
        default=60.0, gt=0, le=86_400, description="Nothing but nulls for so long: the server probes its judge."
    )
    least_free_mebibytes: float = Field(
        default=64.0, ge=0, description="Less room on the disk of a SQLite database makes the server unready."
    )
    public_metrics: bool = Field(default=False, description="Show GET /metrics without an API key of scope metrics.")
    monitor_seconds: float = Field(
        default=300.0, ge=0, le=86_400, description="How often monitors survey the stored judgments; 0 never."
    )
    monitor: MonitorLimits = Field(default=MonitorLimits(), description="Limits at which monitors raise an alarm.")
    audit_judge: str | None = Field(
        default=None, description="Judge that audits a random sample, ideally of another model family."
    )
    audit_share: float = Field(default=0.02, gt=0, le=1, description="Share of judgments that is audited.")
    audit_at_once: int = Field(default=4, ge=1, le=1_024, description="Audits under way at a time.")
    alarm_webhook_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s]+$", description="URL that receives every raised and cleared alarm."
    )
    alarm_webhook_secret: SecretStr | None = Field(
        default=None, min_length=16, description="Signing key of the webhook's messages."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Log lines for people, or one JSON object a line for collectors."
    )
    access_log: Literal["off", "errors", "all"] = Field(
        default="errors", description="Which responses get a log line; errors: statuses from 400 on."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern="^https?://",
        validation_alias=AliasChoices("JUDGE_SERVER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Where traces go, such as http://127.0.0.1:4318 (OTLP over HTTP); none are made if absent.",
    )
    trace_share: float = Field(
        default=1.0, ge=0, le=1, description="Share of the traces started here that are sampled."
    )

    @field_validator("judges", mode="before")
    @classmethod
    def _name_judges_by_their_table(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: {**judge, "name": name} if isinstance(judge, Mapping) else judge for name, judge in given.items()}

    @field_validator("api_keys", mode="before")
    @classmethod
    def _name_keys_by_their_table(cls, given: Any) -> Any:
        """Keep a name that is given: two keys of one caller have the same name."""
        if not isinstance(given, Mapping):
            return given
        return {name: {"name": name, **key} if isinstance(key, Mapping) else key for name, key in given.items()}

    @field_validator("rubrics", "fitted_maps", mode="before")
    @classmethod
    def _one_path_or_several(cls, given: Any) -> Any:
        """From the environment: paths joined as in PATH, or a JSON list."""
        if not isinstance(given, str):
            return given
        return read_json(given) if given.startswith("[") else [path for path in given.split(os.pathsep) if path]

    @model_validator(mode="after")
    def _keep_secrets(self) -> "Settings":
        """Redact them in every log line and error."""
        if self.alarm_webhook_secret is not None:
            keep_secret(self.alarm_webhook_secret.get_secret_value())
        keep_secret(self.alarm_webhook_url)
        for judge in self.judges.values():
            keep_keys(judge.engine)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)

    @property
    def chosen_judge(self) -> str:
        """The judge for submissions that name none: ``default_judge``, else the one named ``default``, else the
        first."""
        if self.default_judge:
            return self.default_judge
        return DEFAULT_JUDGE if not self.judges or DEFAULT_JUDGE in self.judges else next(iter(self.judges))

    @property
    def waits_for_judge(self) -> bool:
        return self.wait_for_judge and self.canary != "refuse"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def demands_keys(self) -> bool:
        return self.authentication == "required" or (self.authentication == "auto" and not self.on_loopback)

    @property
    def own_views(self) -> bool:
        """Whether callers see only what is theirs."""
        return self.views == "by_key" or (self.views == "auto" and self.demands_keys)

    @property
    def file(self) -> Path | None:
        """The configuration file that they were read from, if there was one."""
        return self._file

    def read_from(self, file: Path | None) -> "Settings":
        """These settings, which remember ``file``."""
        self._file = file
        return self

    def with_flags(self, **flags: Any) -> "Settings":
        """These settings with every given flag (not None) in place of its field."""
        given = {name: value for name, value in flags.items() if value is not None}
        return self.model_copy(update=given) if given else self

    def on_cluster(self, address: str | None) -> "Settings":
        """These settings with the Ray cluster at ``address``, if one is named."""
        return self.with_flags(ray=self.ray.model_copy(update={"address": address}) if address else None)

    def with_database(self) -> "Settings":
        """These settings with a database that outlives the process."""
        return self.with_flags(database_url=self.database_url or DEFAULT_DATABASE)
