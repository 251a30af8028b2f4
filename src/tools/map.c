/*
 * tools/map.c - `cmalloc map`: a heap as a picture, in the terminal or in a file.
 *
 * What is drawn may be a process, a core, or a snapshot that was written before; --diff
 * takes two of any of them. The process is not stopped, but where its heap never stands
 * still for as long as the walk takes: then for that time.
 */
#include "tools/map.h"
#include "tools/target.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ATTEMPTS 4
#define COLUMNS_DEFAULT 80
#define COLUMNS_LEAST 40
#define COLUMNS_MOST 400

/* --- taking it --- */

typedef struct taking {
    map_t *map;
    size_t faults;
} taking_t;

static size_t resident_there(void *arg, uintptr_t from, size_t size)
{
    reader_t *r = arg;
    return r->resident(r, from, size);
}

static int take_item(const cmalloc_item *item, void *arg)
{
    return map_add(item, ((taking_t *)arg)->map);
}

static void count_fault(const char *what, uintptr_t where, void *arg)
{
    (void)what, (void)where;
    ((taking_t *)arg)->faults++;
}

static size_t take_once(target_t *t, map_t *m)
{
    taking_t taking = {.map = m};
    map_restart(m);
    t->reader.size = 0; /* look afresh */
    target_walk(t, take_item, count_fault, &taking);
    map_finish(m);
    return taking.faults;
}

/* A change that is caught in the middle looks like damage. Of a core, damage is damage.
 */
static size_t take(target_t *t, map_t *m)
{
    size_t faults = 0;
    for (int i = 0; i < ATTEMPTS; i++)
        if ((faults = take_once(t, m)) == 0 || t->pid == 0 || t->vanished)
            return faults;
    if (stop_begin(t)) {
        faults = take_once(t, m);
        stop_end(t);
    }
    return faults;
}

/* "redis-server, process 1234", or the core's name without its directory. */
static void make_title(const target_t *t, char *title, size_t size)
{
    char path[64], name[64] = "";
    const char *slash = strrchr(t->name, '/');
    snprintf(title, size, "%s", slash == NULL ? t->name : slash + 1);
    snprintf(path, sizeof path, "/proc/%d/comm", (int)t->pid);
    FILE *file = t->pid == 0 ? NULL : fopen(path, "r");
    if (file == NULL)
        return;
    if (fgets(name, sizeof name, file) != NULL) {
        name[strcspn(name, "\n")] = '\0';
        snprintf(title, size, "%s, process %d", name, (int)t->pid);
    }
    fclose(file);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n > k && strcmp(text + n - k, end) == 0;
}

static map_t *load(const char *name, int *status)
{
    if (ends_with(name, ".snap"))
        return map_read(name);
    char title[128];
    target_t *t = target_open(name);
    make_title(t, title, sizeof title);
    map_t *m = map_new(title, t->reader.page, resident_there, &t->reader);
    size_t faults = take(t, m);
    *status = target_end(t, *status);
    if (faults > 0)
        tool_warn("%s: %zu place%s damaged; cmalloc check names them", name, faults,
                  faults == 1 ? " is" : "s are");
    target_close(t);
    return m;
}

/* --- showing it --- */

static size_t terminal_columns(void)
{
    const char *variable = getenv("COLUMNS");
    struct winsize size = {0};
    size_t columns = variable == NULL ? 0 : strtoul(variable, NULL, 10);
    if (columns == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns == 0)
        columns = COLUMNS_DEFAULT;
    columns = columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns;
    return columns > COLUMNS_MOST ? COLUMNS_MOST : columns;
}

static bool wants_colour(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && (none == NULL || *none == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

static bool has_unicode(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && *value != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

static void write_file(const map_t *m, const char *path)
{
    FILE *to = fopen(path, "w");
    if (to == NULL)
        tool_die(TOOL_SYSTEM, "%s: %s", path, strerror(errno));
    if (ends_with(path, ".svg"))
        map_svg(m, to, NULL, true);
    else if (ends_with(path, ".html"))
        map_html(m, to);
    else
        map_write(m, to);
    bool failed = ferror(to) != 0;
    if (fclose(to) != 0 || failed)
        tool_die(TOOL_SYSTEM, "%s: cannot be written", path);
}

static void check_path(const char *path, bool diff)
{
    if (!ends_with(path, ".svg") && !ends_with(path, ".html") &&
        (diff || !ends_with(path, ".snap")))
        tool_die(TOOL_USAGE, "%s: the name must end in .html%s", path,
                 diff ? " or .svg" : ", .svg or .snap");
}

static void show(const map_t *m, const char *path)
{
    bool colour = wants_colour();
    if (path != NULL)
        write_file(m, path);
    else
        map_text(m, stdout, terminal_columns(), colour, colour && has_unicode());
    if (fflush(stdout) != 0)
        tool_die(TOOL_SYSTEM, "cannot write");
}

int tool_map(int argc, char **argv)
{
    bool diff = tool_flag(&argc, argv, "--diff");
    const char *path = tool_option(&argc, argv, "-o");
    int status = TOOL_OK;
    if (argc != (diff ? 3 : 2))
        tool_usage();
    if (path != NULL)
        check_path(path, diff);
    map_t *m = load(argv[1], &status);
    if (!diff) {
        show(m, path);
        map_free(m);
        return status;
    }
    map_t *after = load(argv[2], &status), *changes = map_compare(m, after);
    show(changes, path);
    map_free(changes);
    map_free(after);
    map_free(m);
    return status;
}
