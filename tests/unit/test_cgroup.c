/* test_cgroup.c - what the cgroups allow, from a /proc and a /sys of the test's own. */
#include "inside.h"

#include <sys/stat.h>

static char root[] = "/tmp/cmalloc-cgroup-XXXXXX";

/* A file below root, with the folders it needs. */
static void given_file(const char *path, const char *text)
{
    char whole[600];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        CHECK(mkdir(whole, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int make_root(void **state)
{
    (void)state;
    strcpy(root + strlen(root) - 6, "XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

/* What a child learns. */
static void check_limit(size_t expected)
{
    os_cgroup_read(root, 0);
    if (os_memory_limit() != expected) {
        fprintf(stderr, "limit %zu, not %zu\n", os_memory_limit(), expected);
        abort();
    }
}

static void own_limit(void)
{
    given_file("/proc/self/cgroup", "0::/a/b\n");
    given_file("/sys/fs/cgroup/a/b/memory.max", "123457\n");
    check_limit(123457);
}

static void least_of_all_above(void)
{
    given_file("/proc/self/cgroup", "1:name=systemd:/memory\n0::/a/b/c\n");
    given_file("/sys/fs/cgroup/a/b/c/memory.max", "max\n");
    given_file("/sys/fs/cgroup/a/b/memory.max", "700000\n");
    given_file("/sys/fs/cgroup/a/memory.max", "500000\n");
    check_limit(500000);
    given_file("/sys/fs/cgroup/a/b/c/memory.max", "400000\n");
    check_limit(400000);
}

static void no_limit(void)
{
    check_limit(SIZE_MAX); /* no files at all */
    given_file("/proc/self/cgroup", "");
    check_limit(SIZE_MAX);
    given_file("/proc/self/cgroup", "0::/\n");
    check_limit(SIZE_MAX);
    given_file("/sys/fs/cgroup/memory.max", "max\n");
    check_limit(SIZE_MAX);
    given_file("/sys/fs/cgroup/memory.max", "");
    check_limit(SIZE_MAX);
    given_file("/proc/self/cgroup", "0::/unfinished");
    check_limit(SIZE_MAX);
}

/* The path is the host's; what is mounted is the container's own. */
static void in_a_container(void)
{
    given_file("/proc/self/cgroup", "0::/docker/0123456789abcdef\n");
    given_file("/sys/fs/cgroup/memory.max", "600000\n");
    check_limit(600000);
}

static void version_1(void)
{
    given_file("/proc/self/cgroup",
               "12:cpu,memory_not:/x\n5:memory:/u/v\n1:cpuacct,cpu:/memory:/\n0::/w\n");
    given_file("/sys/fs/cgroup/memory/u/v/memory.limit_in_bytes",
               "9223372036854771712\n");
    given_file("/sys/fs/cgroup/w/memory.max", "1\n"); /* version 1 has the controller */
    check_limit(SIZE_MAX);
    given_file("/sys/fs/cgroup/memory/u/memory.limit_in_bytes", "800000\n");
    check_limit(800000);
    given_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "300000\n");
    check_limit(300000);
    given_file("/proc/self/cgroup", "5:cpu,memory:/u/v\n");
    check_limit(300000);
}

static void long_path(void)
{
    char line[1500] = "0::/";
    memset(line + 4, 'p', sizeof line - 6);
    line[sizeof line - 2] = '\n';
    given_file("/proc/self/cgroup", line);
    given_file("/sys/fs/cgroup/memory.max", "600000\n");
    check_limit(600000);
}

static void quota(void)
{
    given_file("/proc/self/cgroup", "0::/a\n");
    os_cgroup_read(root, 0);
    unsigned all = os_processors();
    CHECK(all >= 1);
    given_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    os_cgroup_read(root, 0);
    CHECK(os_processors() == 1);
    given_file("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    os_cgroup_read(root, 0);
    CHECK(os_processors() == all);
    given_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    given_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    os_cgroup_read(root, 0);
    CHECK(os_processors() == 1);
    given_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    os_cgroup_read(root, 0);
    CHECK(os_processors() == all);
    given_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    os_cgroup_read(root, all);
    CHECK(os_processors() == all); /* it was not looked for */
}

#define CGROUP_TEST(name, scenario) \
    static void name(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }
CGROUP_TEST(a_cgroup_has_a_limit, own_limit)
CGROUP_TEST(the_least_limit_of_all_above_holds, least_of_all_above)
CGROUP_TEST(without_a_limit_there_is_none, no_limit)
CGROUP_TEST(the_root_is_a_containers_own, in_a_container)
CGROUP_TEST(version_1_is_understood, version_1)
CGROUP_TEST(a_path_that_is_too_long_is_left_out, long_path)
CGROUP_TEST(processors_follow_the_quota, quota)

#define in_root(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_root(a_cgroup_has_a_limit),
        in_root(the_least_limit_of_all_above_holds),
        in_root(without_a_limit_there_is_none),
        in_root(the_root_is_a_containers_own),
        in_root(version_1_is_understood),
        in_root(a_path_that_is_too_long_is_left_out),
        in_root(processors_follow_the_quota),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
