//go:build !linux

package ffmpeg

import "syscall"

// processAttributes: ffmpeg ends by itself when its standard input does, which is when the server does.
func processAttributes() *syscall.SysProcAttr { return nil }

// lowerPriority is for Linux.
func lowerPriority(pid, nice int) {}
