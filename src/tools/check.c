#include "tools/tool.h"
int tool_check(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}
