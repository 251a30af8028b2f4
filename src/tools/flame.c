/* tools/flame.c - see flame.h. */
#include "tools/flame.h"

#include "tools/map.h"
#include "tools/tool.h"

#include <string.h>

#define HUES 50        /* of yellow to red, by name: the same function has the same one */
#define NARROWEST 2000 /* what is less than this part of all is left out */

flame_t *flame_enter(flame_t *f, const char *name, uint64_t bytes)
{
    flame_t **place = &f->child;
    while (*place != NULL && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    if (*place == NULL) {
        size_t size = strlen(name) + 1;
        *place = tool_alloc(sizeof **place);
        **place = (flame_t){.name = memcpy(tool_alloc(size), name, size)};
    }
    (*place)->bytes += bytes;
    return *place;
}

void flame_free(flame_t *f)
{
    while (f->child != NULL) {
        flame_t *child = f->child;
        f->child = child->next;
        flame_free(child);
        free((void *)(uintptr_t)child->name);
        free(child);
    }
}

/* --- the page --- */

static const char style[] =
    ".fl{display:flex;flex-direction:column;min-width:0;overflow:hidden}"
    ".fl>a{display:block;height:20px;margin:0 1px 1px 0;padding:0 5px;border-radius:3px;"
    "overflow:hidden;white-space:nowrap;text-overflow:ellipsis;font:12px/20px monospace;"
    "color:#1b2330;cursor:pointer}.fl>a:hover{filter:brightness(1.12)}"
    ".fl>div{display:flex}.gone{display:none}";

/* Whoever stands beside a frame on the way to the root is out of the way. */
static const char script[] =
    "document.querySelectorAll('.fl>a').forEach(a=>a.onclick=()=>{"
    "document.querySelectorAll('.gone').forEach(e=>e.classList.remove('gone'));"
    "for(let e=a.parentNode;e.parentNode.parentNode.matches('.fl');"
    "e=e.parentNode.parentNode)for(const s of e.parentNode.children)"
    "if(s!==e)s.classList.add('gone')})";

static unsigned hue_of(const char *name)
{
    unsigned hash = 0;
    for (; *name != '\0'; name++)
        hash = hash * 31 + (unsigned char)*name;
    return hash % HUES + 10;
}

/* The widest comes first. */
static void sort_children(flame_t *f)
{
    flame_t *sorted = NULL;
    while (f->child != NULL) {
        flame_t *one = f->child, **place = &sorted;
        f->child = one->next;
        while (*place != NULL && (*place)->bytes >= one->bytes)
            place = &(*place)->next;
        one->next = *place;
        *place = one;
    }
    f->child = sorted;
}

static void write_frame(flame_t *f, uint64_t all, FILE *to)
{
    uint64_t below = 0;
    fprintf(to,
            "<div class=\"fl\" style=\"flex:%llu 1 0\"><a style=\"background:hsl(%u 85%% "
            "65%%)\" "
            "title=\"",
            (unsigned long long)f->bytes, hue_of(f->name));
    map_escape(to, f->name);
    fprintf(to, ": %s, %s\">", tool_size((size_t)f->bytes),
            tool_share((size_t)f->bytes, (size_t)all));
    map_escape(to, f->name);
    fputs("</a><div>", to);
    sort_children(f);
    for (flame_t *c = f->child; c != NULL; c = c->next)
        if (c->bytes >= all / NARROWEST) {
            write_frame(c, all, to);
            below += c->bytes;
        }
    if (below < f->bytes) /* its own */
        fprintf(to, "<div style=\"flex:%llu 1 0\"></div>",
                (unsigned long long)(f->bytes - below));
    fputs("</div></div>\n", to);
}

void flame_page(flame_t *all, const char *title, FILE *to)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", to);
    map_escape(to, title);
    fputs("</title><style>\n", to);
    for (const char *const *line = map_css; *line != NULL; line++)
        fputs(*line, to);
    fprintf(to, "%s</style></head><body><header><h1>", style);
    map_escape(to, title);
    fprintf(to, "</h1><p>%s</p></header>\n", tool_size((size_t)all->bytes));
    write_frame(all, all->bytes > 0 ? all->bytes : 1, to);
    fprintf(to, "<script>%s</script></body></html>\n", script);
}
