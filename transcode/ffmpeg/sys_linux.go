package ffmpeg

import "syscall"

// processAttributes keeps a terminal's Ctrl-C from ffmpeg, and ffmpeg from outliving the server, even one that
// is killed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// lowerPriority makes the process stand back behind the server. A kernel that does not let us is no reason to
// go without the ladder.
func lowerPriority(pid, nice int) {
	_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, nice)
}
