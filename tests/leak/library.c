/* leak/library.c - a library that plant.cc opens: static data and thread-local data. */
void *library_static[128];
_Thread_local void *library_local[16];

void *library_word(void *p, int local, unsigned index);

/* Keep a pointer where only this library knows it; returns what was there. */
void *library_word(void *p, int local, unsigned index)
{
    void **word = local ? &library_local[index] : &library_static[index];
    void *before = *word;
    *word = p;
    return before;
}
