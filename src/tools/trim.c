#include "tools/tool.h"
int tool_trim(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}
