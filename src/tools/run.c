#include "tools/tool.h"
int tool_run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}
