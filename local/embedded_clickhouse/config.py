"""The engine's configuration: limits of memory and threads for a small machine."""

import os
from pathlib import Path

MEBIBYTE = 1 << 20

SERVER_MEMORY = 1536 * MEBIBYTE
"""Limit of the engine's memory in bytes, for all queries and caches together."""

LARGE_PART = 32 * MEBIBYTE
"""In bytes. Columns without a codec are compressed with ZSTD in parts from this size on, else with LZ4."""

GRANTS = "GRANT SELECT, INSERT, CREATE, DROP, ALTER, TRUNCATE, OPTIMIZE, SHOW, SYSTEM ON *.*"
"""The grants of the engine's only user, for readers and the admin.

Without SOURCES, the engine refuses table functions and table engines that read files or open connections.
Without ACCESS MANAGEMENT, no statement can change these grants.
"""

_SERVER = """<clickhouse>
    <max_server_memory_usage>{memory}</max_server_memory_usage>
    <mark_cache_size>{cache}</mark_cache_size>
    <index_mark_cache_size>{small_cache}</index_mark_cache_size>
    <primary_index_cache_size>{cache}</primary_index_cache_size>
    <uncompressed_cache_size>0</uncompressed_cache_size>
    <compiled_expression_cache_size>{small_cache}</compiled_expression_cache_size>
    <background_pool_size>2</background_pool_size>
    <os_threads_nice_value_merge_mutate>10</os_threads_nice_value_merge_mutate>
    <background_schedule_pool_size>8</background_schedule_pool_size>
    <background_common_pool_size>2</background_common_pool_size>
    <background_move_pool_size>1</background_move_pool_size>
    <background_fetches_pool_size>1</background_fetches_pool_size>
    <merges_mutations_memory_usage_soft_limit>{merges}</merges_mutations_memory_usage_soft_limit>
    <users_config>{users}</users_config>
    <compression><case>
        <min_part_size>{large_part}</min_part_size>
        <min_part_size_ratio>0</min_part_size_ratio>
        <method>zstd</method>
        <level>1</level>
    </case></compression>
    <merge_tree>
        <old_parts_lifetime>30</old_parts_lifetime>
        <!-- Removes parts one by one: a hundred at once delay writers (docs/decisions/two-cores.md). -->
        <concurrent_part_removal_threshold>1000000</concurrent_part_removal_threshold>
        <merge_selector_base>16</merge_selector_base>
        <parts_to_delay_insert>1000</parts_to_delay_insert>
        <parts_to_throw_insert>3000</parts_to_throw_insert>
        <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
        <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
        <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    </merge_tree>
</clickhouse>
"""

_USERS = """<clickhouse>
    <profiles><default>
        <max_threads>{threads}</max_threads>
        <max_insert_threads>1</max_insert_threads>
        <max_memory_usage>{query_memory}</max_memory_usage>
        <max_bytes_before_external_group_by>{spill}</max_bytes_before_external_group_by>
        <max_bytes_before_external_sort>{spill}</max_bytes_before_external_sort>
        <async_insert>0</async_insert>
        <log_queries>0</log_queries>
        <allow_introspection_functions>0</allow_introspection_functions>
    </default></profiles>
    <users><default>
        <password></password>
        <networks><ip>::1</ip><ip>127.0.0.1</ip></networks>
        <profile>default</profile>
        <quota>default</quota>
        <grants><query>{grants}</query></grants>
    </default></users>
    <quotas><default/></quotas>
</clickhouse>
"""


def write_config(folder: Path) -> Path:
    """Write the engine's configuration into `folder` and return the file for the option `config-file`."""
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "users.xml"
    users.write_text(
        _USERS.format(
            grants=GRANTS,
            threads=min(os.cpu_count() or 2, 8),
            query_memory=1024 * MEBIBYTE,
            spill=256 * MEBIBYTE,
        )
    )
    server = config_file(folder)
    server.write_text(
        _SERVER.format(
            memory=SERVER_MEMORY,
            cache=64 * MEBIBYTE,
            small_cache=16 * MEBIBYTE,
            merges=512 * MEBIBYTE,
            large_part=LARGE_PART,
            users=users,
        )
    )
    return server


def config_file(folder: Path) -> Path:
    """Return the path of the file that `write_config` returns."""
    return folder / "config.xml"
