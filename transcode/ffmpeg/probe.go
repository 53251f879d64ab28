package ffmpeg

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Abilities is what a program can do.
type Abilities struct {
	// Problem is why it can't be used at all: a clause for the operator, empty if it can.
	Problem  string
	Version  string
	Encoders map[string]bool
}

// probeTimeout is how long ffmpeg may take to tell. A cold disk is slow, and so is a machine on which everything starts
// at once: whoever is given up here stays without ffmpeg.
const probeTimeout = time.Minute

// pipeDelay is how long what a program has said may take to get here when it has ended: on a full CPU, or if it is a script
// that has left something running.
const pipeDelay = 5 * time.Second

// The oldest version that will do: it brought -fps_mode.
const oldestMajor, oldestMinor = 5, 1

// Probe asks the program for its version and its encoders. It takes probeTimeout at most.
func Probe(ctx context.Context, program string) Abilities {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	text, err := ask(ctx, program, "-version")
	if err != nil {
		return Abilities{Problem: explain(program, err)}
	}
	a := Abilities{Version: version(text), Encoders: make(map[string]bool)}
	if a.Version == "" {
		return Abilities{Problem: fmt.Sprintf("%s does not say what version it is: is it ffmpeg? (ladder.ffmpeg)", program)}
	}
	if tooOld(a.Version) {
		a.Problem = fmt.Sprintf("%s is version %s: install %d.%d or a later one", program, a.Version, oldestMajor, oldestMinor)
		return a
	}
	text, err = ask(ctx, program, "-encoders")
	if err != nil {
		return Abilities{Problem: explain(program, err)}
	}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		// " V....D libx264   H.264 / AVC ..."
		if f := strings.Fields(lines.Text()); len(f) > 1 && len(f[0]) == 6 {
			a.Encoders[f[1]] = true
		}
	}
	return a
}

func ask(ctx context.Context, program string, question string) (string, error) {
	const most = 1 << 20
	cmd := exec.CommandContext(ctx, program, "-hide_banner", question)
	cmd.WaitDelay = pipeDelay
	out := &limited{left: most}
	cmd.Stdout = out
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil // it has ended well, and others judge what it has said
	case err != nil && ctx.Err() != nil:
		err = ctx.Err() // "signal: killed" is no help
	}
	return out.String(), err
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.Buffer.Write(p[:n])
	l.left -= n
	return len(p), nil
}

func explain(program string, err error) string {
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Sprintf("there is no program %s: install ffmpeg, or say where it is (ladder.ffmpeg)", program)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s does not answer within %v", program, probeTimeout)
	}
	return fmt.Sprintf("%s can't be run: %v (ladder.ffmpeg)", program, err)
}

var versionLine = regexp.MustCompile(`(?m)^ffmpeg version (\S+)`)

// version returns what stands behind "ffmpeg version", "" if nothing does.
func version(text string) string {
	m := versionLine.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

var releaseNumber = regexp.MustCompile(`^n?(\d{1,4})\.(\d{1,4})`)

// tooOld reports whether a release is older than what is needed. Builds from between releases
// ("N-109542-g...") are taken to be new.
func tooOld(version string) bool {
	m := releaseNumber.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return major < oldestMajor || major == oldestMajor && minor < oldestMinor
}
