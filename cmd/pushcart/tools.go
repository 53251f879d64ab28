package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"pushcart/admin"
	"pushcart/auth"
	"pushcart/config"
)

// checkCmd looks at a configuration without serving.
type checkCmd struct {
	File string `arg:"" optional:"" help:"The configuration; ./pushcart.yml by default, if there is one."`
	All  bool   `short:"a" help:"Print every key with its value and its environment variable."`
}

// Run prints what is in force. What is wrong is its error.
func (c *checkCmd) Run(p *program) error {
	conf, err := config.Load(c.File, p.environ)
	if err != nil {
		return err
	}
	if err := checkFiles(conf.Config); err != nil {
		return err
	}
	if conf.File == "" {
		fmt.Fprintln(p.stdout, "no file: the defaults are in force")
	} else {
		fmt.Fprintf(p.stdout, "%s: all right\n", conf.File)
	}
	for _, o := range conf.Overrides {
		fmt.Fprintf(p.stdout, "%s = %s (from %s)\n", o.Key, o.Value, o.Env)
	}
	for _, name := range conf.Unknown {
		fmt.Fprintf(p.stdout, "%s is ignored: there is no such key\n", name)
	}
	if !conf.Auth.Configured() {
		fmt.Fprintln(p.stdout, "no stream keys: only this machine can publish (set auth.secret or auth.keys)")
	}
	if c.All {
		for _, k := range conf.Keys() {
			fmt.Fprintf(p.stdout, "%-36s %-24s %s\n", k.Key, k.Value, k.Env)
		}
	}
	return nil
}

// checkFiles looks at the files that a configuration names.
func checkFiles(conf config.Config) error {
	var wrong config.Errors
	for _, f := range []struct{ key, name string }{{"tls.cert_file", conf.TLS.CertFile}, {"tls.key_file", conf.TLS.KeyFile}} {
		if f.name == "" {
			continue
		}
		file, err := os.Open(f.name)
		if err != nil {
			wrong = append(wrong, &config.Error{Source: f.key, Message: err.Error()})
			continue
		}
		file.Close()
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// keyCmd makes stream keys.
type keyCmd struct {
	Name    string `arg:"" help:"The show's name: letters, digits, '-', '.', '_' and '~'. NAME@fr makes a key for an interpreter, NAME/720p one for a rendition."`
	OBS     bool   `name:"obs" help:"Print the show's ladder for OBS, to paste as Config Override (JSON)."`
	Size    string `placeholder:"WxH" help:"With --obs: the size of OBS's picture; 1920x1080 by default."`
	FPS     string `name:"fps" placeholder:"RATE" help:"With --obs: its frame rate; 30 by default."`
	Encoder string `placeholder:"MAKE" help:"With --obs: x264 (the default), nvenc, nvenc-30, amf, qsv or videotoolbox."`
	configFlag
}

// Help is the end of `pushcart key --help`.
func (keyCmd) Help() string {
	return `The key is NAME-SIGNATURE, signed with auth.secret of the configuration (or PUSHCART_AUTH_SECRET). Whoever has
it can publish the show NAME, and no other; the server keeps no list. Only the key goes to standard output. The
signature is the first 10 bytes of HMAC-SHA256(secret, NAME) in lower-case base32, so a shop's own back end can
make keys too. Behind a show's key, @fr makes it the sound in French and /720p a rendition of the picture; a key for
NAME@fr is good for that alone.`
}

// Run prints the key, and for people how to use it.
func (c *keyCmd) Run(p *program) error {
	conf, err := c.load(p)
	if err != nil {
		return err
	}
	checker, err := auth.New(conf.Auth)
	if err != nil {
		return err
	}
	if c.OBS {
		return c.printOBS(p, conf.Config, checker)
	}
	key, err := checker.Sign(c.Name)
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(conf.RTMP.Listen)
	fmt.Fprintln(p.stdout, key)
	fmt.Fprintf(p.stderr, "OBS: Settings, Stream, Service \"Custom\"\n  Server      rtmp://HOST:%s/live\n  Stream Key  the line above\n", port)
	return nil
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(p *program) error {
	v, goVersion := version()
	fmt.Fprintln(p.stdout, "pushcart", v, goVersion)
	return nil
}

// version returns the version of the module, with the revision that it was built from as far as that is
// known, and Go's.
func version() (v, goVersion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", runtime.Version()
	}
	v = info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value[:min(12, len(s.Value))]) {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return v, info.GoVersion
}

// healthcheckCmd is for containers, which have no curl in them.
type healthcheckCmd struct {
	configFlag
}

// Run asks the server that has this configuration. It fails unless the server is ready.
func (c *healthcheckCmd) Run(p *program) error {
	conf, err := c.load(p)
	if err != nil {
		return err
	}
	url := "http://" + reachable(conf.Admin.Listen) + "/readyz"
	switch {
	case conf.Admin.Listen != admin.Off:
	case conf.Origin.Listen != off:
		url = "http://" + reachable(conf.Origin.Listen) + "/healthz"
	default:
		return errors.New("neither admin.listen nor origin.listen is open: nobody to ask")
	}
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1024))
		return fmt.Errorf("%s: %s %s", url, res.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// reachable turns an address to listen on into one to connect to.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
