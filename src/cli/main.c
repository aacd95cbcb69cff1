#include "cli/cli.h"

int main(int argc, char **argv) { return pd_cli_run(argc, argv); }
