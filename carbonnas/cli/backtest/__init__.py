"""`carbonnas backtest`: how good forecasters are on a recorded trace."""
