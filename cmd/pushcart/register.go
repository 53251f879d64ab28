package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// registerPause is how old the register can be when the process is killed.
	registerPause = 2 * time.Second
	// registerLag is what is added to a segment's number that is read, for those of that time.
	registerLag = 8
	// maxRegister bounds what is read.
	maxRegister = 4 << 20
)

// register keeps a list of the shows that are on in a file, so that a server that starts again, after an
// upgrade or a crash, knows whose hosts are on their way back.
type register struct {
	file string // "off": none is kept
	list func() []registered
	log  *slog.Logger

	mu     sync.Mutex // guards what follows
	last   []byte
	closed bool
	failed bool // said so in the log
}

// registered is a show that is on.
type registered struct {
	Name string `json:"name"`
	// NextMSN and NextDSN are the sequence numbers that it goes on with (packager.Window).
	NextMSN int64 `json:"next_segment"`
	NextDSN int64 `json:"next_discontinuity"`
}

// registerText is what is in the file.
type registerText struct {
	Shows []registered `json:"shows"`
}

// read returns the shows that were on when the file was written. No file means none.
func (r *register) read() ([]registered, error) {
	if r.file == off {
		return nil, nil
	}
	f, err := os.Open(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRegister+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxRegister:
		return nil, fmt.Errorf("%s has more than %d bytes: it is no list of shows", r.file, maxRegister)
	}
	var text registerText
	if err := json.Unmarshal(data, &text); err != nil {
		return nil, fmt.Errorf("%s: %w", r.file, err)
	}
	return text.Shows, nil
}

// run keeps the file up to date until ctx ends.
func (r *register) run(ctx context.Context) {
	if r.file == off {
		return
	}
	ticker := time.NewTicker(registerPause)
	defer ticker.Stop()
	for {
		r.save()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// close writes the file for the last time: shows that end from here on are still in it.
func (r *register) close() {
	if r.file == off {
		return
	}
	r.save()
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
}

// save writes the file if there is news.
func (r *register) save() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	data, err := json.MarshalIndent(registerText{r.list()}, "", "  ")
	if err != nil {
		panic(err) // strings and numbers
	}
	if r.last != nil && bytes.Equal(data, r.last) {
		return
	}
	if err := replaceFile(r.file, data); err != nil {
		if !r.failed {
			r.log.Warn("state_file can't be written: after a restart, viewers find no show until its host is back; name a file that can be, or off",
				slog.String("error", err.Error()))
		}
		r.failed = true
		return
	}
	r.last, r.failed = data, false
}

// replaceFile writes a file so that whoever reads it finds either the old or the new content.
func replaceFile(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
