/* test_options.c - the table of options: values, units, limits, and both spellings. */
#include "inside.h"

#include "base/options.h"

/* The tests run on the options that they change: each change lives in a child. */
#define in_child(f) assert_ends_well(f)

static bool set(const char *name, const char *value)
{
    return cm_option_set(name, strlen(name), value, strlen(value)) == OPTION_DONE;
}

static void numbers_and_units(void)
{
    static const struct {
        const char *text;
        size_t value;
    } good[] = {{"0", 0},        {"1", 1},        {"007", 7},
                {"4096", 4096},  {"3k", 3 << 10}, {"3K", 3 << 10},
                {"5m", 5 << 20}, {"5M", 5 << 20}, {"2g", (size_t)2 << 30},
                {"1G", 1 << 30}, {"0g", 0}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(set("mmap_max", good[i].text));
        CHECK(cm_options.mmap_max == good[i].value);
    }
}

static void values_are_decimal_with_units(void **state)
{
    (void)state;
    in_child(numbers_and_units);
}

static void no_values(void)
{
    static const char *const bad[] = {"",
                                      "k",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1kk",
                                      "1kb",
                                      "0x1",
                                      "1.5",
                                      "1t",
                                      "k1",
                                      "1,",
                                      "one",
                                      "off",
                                      "18446744073709551616",
                                      "99999999999999999999999999",
                                      "17179869184g"};
    CHECK(set("mmap_max", "123"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!set("mmap_max", bad[i]));
        CHECK(cm_options.mmap_max == 123);
    }
}

static void what_is_no_value_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    in_child(no_values);
}

static void limits(void)
{
    CHECK(set("perturb", "255") && !set("perturb", "256"));
    CHECK(cm_options.perturb == 255 && set("perturb", "0"));
    CHECK(set("arena_max", "256") && !set("arena_max", "257"));
    CHECK(cm_options.arena_max == ARENA_MAX);
    cm_options.mmap_threshold = 1;
    CHECK(!set("mmap_threshold", "1g") && cm_options.mmap_threshold == 1);
    CHECK(set("mmap_threshold", CM_TINY ? "512k" : CM_64BIT ? "32m" : "2m"));
    CHECK(cm_options.mmap_threshold == MMAP_THRESHOLD_MAX);
    CHECK(!set("top_pad", "65m"));
}

static void each_option_has_a_limit(void **state)
{
    (void)state;
    in_child(limits);
}

static void names(void)
{
    CHECK(!set("perturbed", "1"));
    CHECK(!set("pertur", "1"));
    CHECK(!set("", "1"));
    CHECK(!set("MALLOC_PERTURB_", "1"));
    CHECK(cm_options.perturb == 0);
    CHECK(cm_option_set("perturbed", 9, "1", 1) == OPTION_UNKNOWN);
    CHECK(cm_option_set("perturb", 7, "x", 1) == OPTION_BAD_VALUE);
    CHECK(cm_option_set("top_pad=8k", 7, "8k,more", 2) ==
          OPTION_DONE); /* lengths, not terminators */
    CHECK(cm_options.top_pad == 8 * KIB);
}

static void only_whole_names_are_known(void **state)
{
    (void)state;
    in_child(names);
}

static void words(void)
{
    static const struct {
        const char *text;
        size_t value;
    } good[] = {{"off", 0}, {"on", 1}, {"0", 0}, {"1", 1}};
    static const char *const bad[] = {"",   "o",   "of",     "offf",   "on|off",
                                      "ON", "yes", "off|on", "2",      "|",
                                      "-1", "0x0", "true",   "default"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(set("background", good[i].text));
        CHECK(cm_options.background == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!set("background", bad[i]) && cm_options.background == 1);
}

static void a_switch_is_on_or_off(void **state)
{
    (void)state;
    in_child(words);
}

static void never(void)
{
    static const char *const may_be_off[] = {"trim_threshold", "purge_age"};
    for (size_t i = 0; i < 2; i++) {
        size_t value = 0;
        CHECK(set(may_be_off[i], "off") && cm_option_get(may_be_off[i], &value));
        CHECK(value == OPTION_NEVER);
        CHECK(set(may_be_off[i], "1") && cm_option_get(may_be_off[i], &value));
        CHECK(value == 1);
        CHECK(set(may_be_off[i], "-1") && cm_option_get(may_be_off[i], &value));
        CHECK(value == OPTION_NEVER);
    }
    CHECK(!set("top_pad", "off") && !set("arena_max", "-1"));
    CHECK(!set("profile", "0") && set("leak_bits", "0")); /* less than the least */
}

static void some_options_may_be_off(void **state)
{
    (void)state;
    in_child(never);
}

static void values(void)
{
    size_t value = 77;
    CHECK(!cm_option_get("no_such_option", &value) && value == 77);
    CHECK(!cm_option_get("", &value) && value == 77);
    CHECK(cm_option_get("purge_age", &value) && value == PURGE_AGE_DEFAULT);
    CHECK(cm_option_get("background", &value) && value == 1);
    CHECK(cm_option_get("mmap_max", &value) && value == MMAP_MAX_DEFAULT);
    CHECK(set("mmap_max", "4k") && cm_option_get("mmap_max", &value) && value == 4096);
    CHECK(cm_option_get("os_fail", &value) == CM_DEBUG);
}

static void values_can_be_asked_for(void **state)
{
    (void)state;
    in_child(values);
}

static void fixing(void)
{
    static const char *const fix[] = {"mmap_threshold", "mmap_max", "trim_threshold",
                                      "top_pad"};
    static const char *const leave[] = {"arena_max", "perturb", "purge_age"};
    for (size_t i = 0; i < 4; i++) {
        cm_options.thresholds_fixed = false;
        CHECK(!set(fix[i], "bad") && !cm_options.thresholds_fixed);
        CHECK(set(fix[i], "64k") && cm_options.thresholds_fixed);
    }
    cm_options.thresholds_fixed = false;
    for (size_t i = 0; i < 3; i++)
        CHECK(set(leave[i], "0") && !cm_options.thresholds_fixed);
}

static void setting_a_threshold_ends_its_adapting(void **state)
{
    (void)state;
    in_child(fixing);
}

/* ---- the environment --------------------------------------------------------------- */

static const char *const (*environment)[2]; /* pairs; ended by NULL */

static const char *lookup(const char *name)
{
    for (size_t i = 0; environment[i][0] != NULL; i++)
        if (strcmp(environment[i][0], name) == 0)
            return environment[i][1];
    return NULL;
}

static void read_environment(void *pairs)
{
    environment = pairs;
    cm_options_read(lookup);
}

static void assert_warns(const char *name, const char *value, const char *line)
{
    const char *pairs[][2] = {{name, value}, {NULL, NULL}};
    words_t w = words_of(read_environment, pairs);
    assert_string_equal(w.text, line);
    assert_int_equal(w.status, 0);
}

static void both_spellings(void)
{
    static const char *const pairs[][2] = {
        {"MALLOC_ARENA_MAX", "3"},
        {"MALLOC_TOP_PAD_", "4096"},
        {"MALLOC_TRIM_THRESHOLD_", "5k"},
        {"MALLOC_MMAP_MAX_", "6"},
        {"MALLOC_MMAP_THRESHOLD_", "70000"},
        {"CMALLOC_OPTIONS", ",mmap_max=8,,arena_max=4,"},
        {NULL, NULL}};
    environment = pairs;
    cm_options_read(lookup);
    CHECK(cm_options.top_pad == 4096);
    CHECK(cm_options.trim_threshold == 5 * KIB);
    CHECK(cm_options.mmap_threshold == 70000);
    CHECK(cm_options.mmap_max == 8 && cm_options.arena_max == 4); /* ours wins */
    CHECK(cm_options.perturb == 0);
}

static void glibcs_names_are_read_and_ours_win(void **state)
{
    (void)state;
    in_child(both_spellings);
}

static void tunables(void)
{
    static const char *const pairs[][2] = {
        {"GLIBC_TUNABLES",
         "glibc.rtld.nns=8:glibc.malloc.arena_max=3:glibc.malloc.mmap_threshold=70000"
         ":glibc.malloc.trim_threshold=5000::glibc.malloc.top_pad=4096"
         ":glibc.malloc.mmap_max=6:glibc.malloc.perturb=8:glibc.malloc.tcache_count=9"
         ":glibc.malloc.purge_age=5:malloc.perturb=9:glibc.malloc.perturb"},
        {"MALLOC_MMAP_MAX_", "7"},
        {NULL, NULL}};
    environment = pairs;
    cm_options_read(lookup);
    CHECK(cm_options.arena_max == 3 && cm_options.mmap_threshold == 70000);
    CHECK(cm_options.trim_threshold == 5000 && cm_options.top_pad == 4096);
    CHECK(cm_options.perturb == 8);
    CHECK(cm_options.mmap_max == 7);                  /* the variable wins */
    CHECK(cm_options.purge_age == PURGE_AGE_DEFAULT); /* glibc has no such tunable */
}

static void glibcs_tunables_are_read(void **state)
{
    (void)state;
    in_child(tunables);
    assert_warns("GLIBC_TUNABLES", "glibc.malloc.tcache_count=9:glibc.cpu.x86_ibt=on",
                 "");
}

static void a_full_list(void)
{
    char item[64], list[4096] = "";
    for (size_t i = 0; i < 200; i++) {
        snprintf(item, sizeof item, "mmap_max=%zu,", i);
        strcat(list, item);
    }
    const char *pairs[][2] = {{"CMALLOC_OPTIONS", list}, {NULL, NULL}};
    read_environment(pairs);
    CHECK(cm_options.mmap_max == 199);
}

static void the_last_of_many_settings_holds(void **state)
{
    (void)state;
    in_child(a_full_list);
}

/* Each option's line begins with its name and its default, and fits a wide terminal. */
static void help_prints_the_table_and_the_rest_is_read(void **state)
{
    (void)state;
    const char *pairs[][2] = {{"CMALLOC_OPTIONS", "help,perturb=x"}, {NULL, NULL}};
    words_t w = words_of(read_environment, pairs);
    assert_int_equal(w.status, 0);
    assert_int_equal(strncmp(w.text, "option ", 7), 0);
    assert_non_null(strstr(w.text, "\narena_max       0 "));
    assert_non_null(strstr(w.text, "\nmmap_max        65536    0..any "));
    assert_non_null(strstr(w.text, "\npurge_age       1000     0..86400000, off "));
    assert_non_null(strstr(w.text, "\nbackground      on       off|on "));
    assert_int_equal(strstr(w.text, "\nos_fail ") != NULL, CM_DEBUG);
    assert_non_null(strstr(w.text, "\ncmalloc: CMALLOC_OPTIONS: not a value of perturb"));
    for (const char *line = w.text; *line != '\0'; line = strchr(line, '\n') + 1)
        assert_true(strchr(line, '\n') - line <= 132);
}

static void nothing_set(void)
{
    static const char *const pairs[][2] = {{NULL, NULL}};
    unsigned char before[sizeof cm_options];
    memcpy(before, &cm_options, sizeof before);
    environment = pairs;
    cm_options_read(lookup);
    CHECK(memcmp(before, (const unsigned char *)&cm_options, sizeof before) == 0);
}

static void without_an_environment_nothing_changes(void **state)
{
    (void)state;
    in_child(nothing_set);
}

static void a_bad_option_gets_one_line_and_the_program_goes_on(void **state)
{
    (void)state;
    assert_warns(
        "MALLOC_ARENA_MAX", "many",
        "cmalloc: MALLOC_ARENA_MAX: not a value of arena_max (0..256): \"many\"\n");
    assert_warns("CMALLOC_OPTIONS", "arena_max=2,color=red,top_pad=1k",
                 "cmalloc: CMALLOC_OPTIONS: no such option: \"color=red\"\n");
    assert_warns("CMALLOC_OPTIONS", "perturb",
                 "cmalloc: CMALLOC_OPTIONS: not a value of perturb (0..255): \"\"\n");
    assert_warns("CMALLOC_OPTIONS", "background=maybe,perturb=0",
                 "cmalloc: CMALLOC_OPTIONS: not a value of background (off|on): "
                 "\"maybe\"\n");
    assert_warns("CMALLOC_OPTIONS", "purge_age=soon",
                 "cmalloc: CMALLOC_OPTIONS: not a value of purge_age (0..86400000, "
                 "off): \"soon\"\n");
    assert_warns("GLIBC_TUNABLES", "glibc.malloc.perturb=1k:glibc.malloc.top_pad=0",
                 "cmalloc: GLIBC_TUNABLES: not a value of perturb (0..255): \"1k\"\n");
    assert_warns("CMALLOC_OPTIONS", "helpless",
                 "cmalloc: CMALLOC_OPTIONS: no such option: \"helpless\"\n");
    assert_warns("CMALLOC_OPTIONS", "", "");
    assert_warns("CMALLOC_OPTIONS", "perturb=0,mmap_max=9", "");
}

static void behind_a_bad_item(void)
{
    static const char *const pairs[][2] = {{"CMALLOC_OPTIONS", "x=1,mmap_max=9,=3"},
                                           {NULL, NULL}};
    close(STDERR_FILENO);
    environment = pairs;
    cm_options_read(lookup);
    CHECK(cm_options.mmap_max == 9);
}

static void items_behind_a_bad_one_are_read(void **state)
{
    (void)state;
    in_child(behind_a_bad_item);
}

static void a_text_is_kept_as_it_was_given(void **state)
{
    (void)state;
    assert_null(cm_option_text(&cm_options.stats_file));
    assert_int_equal(cm_option_set("stats_file", 10, "", 0), OPTION_BAD_VALUE);
    assert_int_equal(cm_option_set("stats_file", 10, "/a/b.json,more", 9), OPTION_DONE);
    assert_string_equal(cm_option_text(&cm_options.stats_file), "/a/b.json");
    assert_int_equal(cm_option_set("stats_file", 10, "c", 1), OPTION_DONE);
    assert_string_equal(cm_option_text(&cm_options.stats_file), "c");
    static char much[3 * OPTION_TEXT_MOST];
    memset(much, 'x', sizeof much);
    assert_int_equal(cm_option_set("stats_file", 10, much, sizeof much),
                     OPTION_BAD_VALUE);
    assert_string_equal(cm_option_text(&cm_options.stats_file), "c");
}

int main(void)
{
    cm_options.purge_age = PURGE_AGE_DEFAULT; /* inside.h has switched it off */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_kept_as_it_was_given),
        cmocka_unit_test(values_are_decimal_with_units),
        cmocka_unit_test(what_is_no_value_is_refused_and_changes_nothing),
        cmocka_unit_test(each_option_has_a_limit),
        cmocka_unit_test(only_whole_names_are_known),
        cmocka_unit_test(a_switch_is_on_or_off),
        cmocka_unit_test(some_options_may_be_off),
        cmocka_unit_test(values_can_be_asked_for),
        cmocka_unit_test(setting_a_threshold_ends_its_adapting),
        cmocka_unit_test(glibcs_names_are_read_and_ours_win),
        cmocka_unit_test(glibcs_tunables_are_read),
        cmocka_unit_test(the_last_of_many_settings_holds),
        cmocka_unit_test(help_prints_the_table_and_the_rest_is_read),
        cmocka_unit_test(without_an_environment_nothing_changes),
        cmocka_unit_test(a_bad_option_gets_one_line_and_the_program_goes_on),
        cmocka_unit_test(items_behind_a_bad_one_are_read),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
