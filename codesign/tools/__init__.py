"""Other programs: one file each; nothing outside this folder starts one."""
