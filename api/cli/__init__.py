"""The command line, `mingzhang`: a module for each group of commands.

Modules that need no database and no web server are never made to import one: `main` imports only
the module of the command that is asked for.
"""
