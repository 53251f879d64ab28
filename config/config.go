// Package config is the one file that an operator writes: a struct made of each room's own Config, filled
// from defaults, then the file, then the environment.
//
// It has no keys of its own but the log's. To add a key, add a field to a room's Config and a line to
// example.yaml; to add a room, add its Config here. The file's format, the environment variable, the
// messages and `pushcart check` follow from that.
package config

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"strings"

	"pushcart/admin"
	"pushcart/auth"
	"pushcart/cue"
	"pushcart/ingest"
	"pushcart/ingest/rtmp"
	"pushcart/ingest/rtsp"
	"pushcart/origin"
	"pushcart/packager"
	"pushcart/stream"
	"pushcart/tlsconf"
	"pushcart/transcode"
)

// DefaultFile is what is read when no file is named, and it is there.
const DefaultFile = "pushcart.yml"

// Example is the documented example: every key with its default.
//
//go:embed example.yaml
var Example string

// Config is the whole configuration. The zero value is usable: each room fills its own defaults in.
type Config struct {
	RTMP     rtmp.Config      `yaml:"rtmp"`
	RTSP     rtsp.Config      `yaml:"rtsp"`
	Pull     rtsp.PullConfig  `yaml:",inline"`
	Origin   origin.Config    `yaml:"origin"`
	Admin    admin.Config     `yaml:"admin"`
	TLS      tlsconf.Config   `yaml:"tls"`
	Auth     auth.Config      `yaml:"auth"`
	Ingest   ingest.Config    `yaml:"interpreters"`
	Sound    ingest.Sound     `yaml:"sound"`
	Packager packager.Config  `yaml:",inline"`
	Stream   stream.Config    `yaml:",inline"`
	Ladder   transcode.Config `yaml:"ladder"`
	Cues     cue.Config       `yaml:"cues"`
	Log      Log              `yaml:"log"`
}

// Default returns the configuration with every default filled in.
func Default() Config {
	var c Config
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		filled := v.Field(i).MethodByName("WithDefaults").Call(nil)
		v.Field(i).Set(filled[0])
	}
	return c
}

// Loaded is a configuration and where it came from.
type Loaded struct {
	Config
	// File is the file that was read, "" if there was none.
	File string
	// Overrides are the keys that the environment has set, in the order of the fields.
	Overrides []Override
	// Unknown are variables that begin with PUSHCART_ and are no key. They are no error: Kubernetes
	// makes such names out of a service that is called pushcart.
	Unknown []string
}

// Override is a key that the environment has set.
type Override struct{ Key, Env, Value string }

// Load reads the file path, or DefaultFile if path is empty and there is one, and then the variables in
// environ (as from os.Environ). Whatever is wrong with them comes back as one Errors, all of it.
func Load(path string, environ []string) (*Loaded, error) {
	file, data, err := read(path)
	if err != nil {
		return nil, err
	}
	return load(file, data, environ)
}

// read returns the file's name as it is shown, and its bytes.
func read(path string) (string, []byte, error) {
	name := path
	if path == "" {
		name = DefaultFile
	}
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == "":
		return "", nil, nil
	case err != nil:
		return "", nil, Errors{{Source: name, Message: fmt.Sprintf("can't be read: %v", unwrapPath(err))}}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return "", nil, Errors{{Source: name, Message: fmt.Sprintf("can't be read: %v", unwrapPath(err))}}
	case len(data) > maxFile:
		return "", nil, Errors{{Source: name, Message: fmt.Sprintf("is larger than %d KiB: this is no configuration; hosts by the thousand need signed keys (auth.secret), not a list", maxFile>>10)}}
	}
	return name, data, nil
}

// unwrapPath takes the operation and the path from a file error: the line begins with the path.
func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func load(file string, data []byte, environ []string) (*Loaded, error) {
	l := &Loaded{Config: Default(), File: file}
	root := reflect.ValueOf(&l.Config).Elem()
	d := &decoder{file: file, root: root.Type(), set: make(map[string]position), bad: make(map[string]bool)}
	if file == "" {
		d.file = "configuration"
	}
	d.group(root, "", d.parse(data))
	env := d.environment(root, environ)
	l.Overrides, l.Unknown = env.overrides, env.unknown
	d.validate(root, env)
	if len(d.errs) > 0 {
		return nil, d.all()
	}
	return l, nil
}

// validate asks every room what it thinks of its part, and finds the place of what it says.
func (d *decoder) validate(root reflect.Value, env environment) {
	d.refuseZeros(root, env)
	for i := range root.NumField() {
		room, ok := root.Field(i).Interface().(interface{ Validate() error })
		if !ok {
			continue
		}
		prefix, option, _ := strings.Cut(root.Type().Field(i).Tag.Get("yaml"), ",")
		if option == "inline" {
			prefix = ""
		}
		for _, err := range flatten(room.Validate()) {
			d.blame(prefix, oneLine(err.Error()), env)
		}
	}
	d.checkListeners(root, env)
}

// checkListeners looks at what no room can know: whether two of them want the same address.
func (d *decoder) checkListeners(root reflect.Value, env environment) {
	taken := make(map[string]string)
	for _, k := range keys(root, "") {
		if last := k.path[strings.LastIndexByte(k.path, '.')+1:]; last != "listen" && last != "listen_tls" || k.value.String() == origin.Off {
			continue
		}
		addr := k.value.String()
		_, port, err := net.SplitHostPort(addr)
		switch other := taken[addr]; {
		case d.bad[k.path]:
		case err != nil || port == "":
			d.blame("", fmt.Sprintf(`%s is %q: it must be "host:port", ":port" or "off"`, k.path, oneLine(addr)), env)
		case other != "" && port != "0":
			d.blame("", fmt.Sprintf("%s is %q, and so is %s: each needs a port of its own", k.path, addr, other), env)
		default:
			taken[addr] = k.path
		}
	}
}

// blame reports a room's message at the place of the key that it begins with.
func (d *decoder) blame(prefix, message string, env environment) {
	word, _, _ := strings.Cut(message, " ")
	path := strings.TrimRight(word, ":")
	if prefix != "" && !strings.HasPrefix(path, prefix+".") {
		path, message = join(prefix, path), prefix+"."+message
	}
	if entry := parent(path); d.bad[path] || strings.HasSuffix(entry, "]") && d.bad[entry] {
		return // what the room sees is not what the operator wrote
	}
	d.bad[path] = true
	for p := path; p != ""; p = parent(p) {
		if name := env.variable(p); name != "" {
			d.failIn(name, position{}, "%s", message)
			return
		}
		if pos, ok := d.set[p]; ok {
			d.fail(pos, "%s", message)
			return
		}
	}
	d.fail(position{}, "%s", message)
}

// parent returns the path that p is in: keys[3].name, keys[3], keys, "".
func parent(p string) string { return p[:max(0, strings.LastIndexAny(p, ".["))] }

// refuseZeros turns down values that a room would take for "the default" although somebody has written
// them: an operator who sets a limit to 0 means something else.
func (d *decoder) refuseZeros(root reflect.Value, env environment) {
	def := Default()
	defaults := keys(reflect.ValueOf(&def).Elem(), "")
	for i, k := range keys(root, "") {
		_, inFile := d.set[k.path]
		if (!inFile && env.variable(k.path) == "") || !k.value.IsZero() || defaults[i].value.IsZero() {
			continue
		}
		d.blame("", fmt.Sprintf("%s can't be %s: leave the key out for the default, %s", k.path, show(k.value), show(defaults[i].value)), env)
	}
}
