"""`lovt data`: the data sets, preparing them, and looking at what is prepared."""

import typer

from lovt_tui.cli.data import labels, listing, overlap, prepare, show, stats, synthesize, verify

app = typer.Typer(help="Data sets: list, prepare, look at, compare.", no_args_is_help=True)

app.command("list", short_help="List data sets and what is prepared.")(listing.command)
app.command("labels", short_help="Read the label tables of a download, images or not.")(labels.command)
app.command("prepare", short_help="Convert a download into prepared data, once.")(prepare.command)
app.command("show", short_help="Show prepared data: identity, split, samples as pictures.")(show.command)
app.command("stats", short_help="Count samples, findings, boxes and sentences per split.")(stats.command)
app.command("overlap", short_help="Find films that two sets, or two splits, share.")(overlap.command)
app.command("verify", short_help="Read prepared data again and compare the checksums.")(verify.command)
app.command("synthesize", short_help="Write synthetic downloads in the original layouts.")(synthesize.command)
