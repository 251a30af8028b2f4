#include "tools/tool.h"
int tool_top(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}
