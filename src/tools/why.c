#include "tools/tool.h"
int tool_why(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}
