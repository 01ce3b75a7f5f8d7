#include "fleetauth/emulator/emulator.h"

int main(int argc, char **argv) { return fleetauth::emulator::emulator_main(argc, argv); }
