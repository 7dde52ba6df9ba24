"""What a network costs whoever runs it: counted, measured on this machine, or looked up for another one."""
